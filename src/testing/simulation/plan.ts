import type { SyncMode } from '../../engines/segment-log/index.ts';
import type { EnvironmentCode } from '../../kernel/errors.ts';
import type { FileOperation } from '../../environments/simulated/faults.ts';

/** What differs between the nodes of different seeds. */
export interface NodeShape {
  readonly shardCount: number;
  readonly isGzip: boolean;
  readonly intervalSeconds: number;
  readonly segmentBytesMax: number;
  /** When records are answered; `always` when absent. */
  readonly sync?: SyncMode;
  /** Options of a delivery of `main` to a function; none when absent. */
  readonly handler?: {
    readonly batchSize: number;
    readonly batchWindowSeconds: number;
    readonly bisectOnError: boolean;
  };
  /** Options of a delivery of `main` to a destination that fails; none when absent. */
  readonly failing?: {
    readonly retrySeconds: number;
    readonly bufferSeconds: number;
    /** Each record goes to the backup, too. */
    readonly isBackedUp: boolean;
  };
  /** Options of a delivery of `main` whose records a function processes; none when absent. */
  readonly shaping?: {
    readonly retries: number;
    readonly intervalSeconds: number;
    readonly bufferSeconds: number;
  };
  /** What the log keeps back of the disk; nothing when absent. */
  readonly reserveBytes?: number;
  /** What the log may take until the last life, in which the bound is gone; as much as there is when absent. */
  readonly diskBytesMax?: number;
  /** Fewest changes of the catalog between two snapshots; the node's own when absent. */
  readonly snapshotEvery?: number;
}

/** The streams that clients use: `main` stands in the config file, `side` comes and goes by the API. */
export type StreamName = 'main' | 'side';

/** The deliveries: two of the config file, one that comes and goes by the API. */
export type DeliveryName = 'archive' | 'direct' | 'extra';

/** One record of a put; `hash` is an explicit hash key, as a share of all hash keys. */
export interface PlannedRecord {
  readonly key: string;
  readonly hash?: number;
  readonly bytes: number;
}

/** Where a read begins; AWS's words. */
export const READ_TYPES = [
  'TRIM_HORIZON',
  'LATEST',
  'AT_TIMESTAMP',
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
] as const;

/** Where a read begins. */
export type ReadType = (typeof READ_TYPES)[number];

/**
 * What a client does. Everything chance decides stands in it; what depends on the state of the node (which shard) is a
 * share from 0 up to 1 of what there is then. `id` makes texts that no other operation uses.
 */
export type ClientAction =
  | { readonly do: 'put'; readonly stream: StreamName; readonly id: number; readonly records: readonly PlannedRecord[] }
  | {
      readonly do: 'read';
      readonly stream: StreamName;
      readonly type: ReadType;
      readonly shard: number;
      readonly at: number;
      readonly pages: number;
      readonly limit: number;
    }
  | {
      readonly do: 'subscribe';
      readonly id: number;
      readonly type: ReadType;
      readonly shard: number;
      readonly at: number;
      readonly ms: number;
    }
  | { readonly do: 'check'; readonly stream: StreamName }
  | { readonly do: 'split'; readonly stream: StreamName; readonly shard: number; readonly at: number }
  | { readonly do: 'merge'; readonly stream: StreamName; readonly shard: number }
  | { readonly do: 'count'; readonly stream: StreamName; readonly shards: number }
  | { readonly do: 'retain'; readonly stream: StreamName; readonly hours: number }
  | { readonly do: 'create'; readonly shards: number }
  | { readonly do: 'delete' }
  | { readonly do: 'hook'; readonly id: number; readonly copies: number }
  | { readonly do: 'forge'; readonly id: number }
  | { readonly do: 'direct'; readonly id: number; readonly count: number }
  | { readonly do: 'deliver' }
  | { readonly do: 'undeliver' }
  | { readonly do: 'flush'; readonly delivery: DeliveryName }
  | { readonly do: 'look'; readonly delivery: DeliveryName };

/** What happens to the machine, from the start of a life on: no client has a say in it. */
export type MachineAction =
  | { readonly do: 'cut'; readonly operations: number }
  | {
      readonly do: 'fail';
      readonly operation: FileOperation;
      readonly code: EnvironmentCode;
      readonly count: number;
    }
  | { readonly do: 'slow'; readonly operations: number; readonly ms: number }
  | { readonly do: 'full'; readonly freeBytes: number; readonly ms: number; readonly stays: boolean }
  | { readonly do: 'step'; readonly ms: number }
  | { readonly do: 'flip'; readonly file: number; readonly at: number; readonly bit: number };

/** The end of a life: the node is closed or not, the power is cut or only the process ends. */
export interface LifeEnd {
  readonly do: 'end';
  readonly close: boolean;
  readonly power: boolean;
}

/** One step of a run. A client does its steps one after the other, `pauseMs` before each, and waits for no other. */
export type Step = { readonly client: string; readonly pauseMs: number } & (ClientAction | MachineAction | LifeEnd);

/** The client whose steps are the machine's. */
export const MACHINE = 'machine';

/** A whole run: the same plan does the same. Steps may be left out: what remains is a plan too. */
export interface Plan {
  readonly seed: number;
  readonly node: NodeShape;
  readonly steps: readonly Step[];
}

/** The plan as text: a line for the node, then one for each step. */
export function writePlan({ seed, node, steps }: Plan): string {
  return [JSON.stringify({ seed, node }), ...steps.map((step) => JSON.stringify(step))].join('\n');
}

/** The plan that a text stands for; lines that do not begin with `{` are comments. Raises a SyntaxError. */
export function readPlan(text: string): Plan {
  const [head, ...steps] = text.split('\n').filter((line) => line.startsWith('{'));
  if (head === undefined) throw new SyntaxError('the file holds no plan');
  const { seed, node } = JSON.parse(head) as Pick<Plan, 'seed' | 'node'>;
  return { seed, node, steps: steps.map((line) => JSON.parse(line) as Step) };
}
