import type { SyncMode } from '../../engines/segment-log/index.ts';
import { SeededRandom } from '../../environments/simulated/chance.ts';
import { growMachine } from './machine-grammar.ts';
import {
  READ_TYPES,
  type ClientAction,
  type DeliveryName,
  type NodeShape,
  type Plan,
  type PlannedRecord,
  type Step,
  type StreamName,
} from './plan.ts';

/** What a run may hold beside the usual. */
export interface PlanOptions {
  /** Turn bits of durable bytes. */
  readonly flips: boolean;
}

/** What this seed has more of than others. */
interface Traits {
  readonly hasLargeRecords: boolean;
  readonly hasClockSteps: boolean;
  readonly flips: boolean;
}

type Rule = readonly [weight: number, action: (grammar: Grammar) => ClientAction];

/** When a node answers; mostly `always`, in which a power cut may take nothing. */
const SYNC_MODES: readonly SyncMode[] = ['always', 'always', 'always', 'always', 'interval', 'none'];
const LIVES_MIN = 2;
const LIVES_MORE = 4;
/** So long a clock that was set forward is not believed by who deletes for good, and a little more. */
const DOUBT_MS = 16 * 60_000;
/** Restarts of which each is cut short while it starts. */
const STORM_LIVES_MAX = 6;

/** What each client does, and how often. A client that changes something is the only one that does. */
const CLIENTS: Readonly<Record<string, readonly Rule[]>> = {
  a: [
    [10, (grammar) => grammar.put('main')],
    [2, (grammar) => grammar.read('main')],
    [1, (grammar) => grammar.put('side')],
  ],
  b: [
    [8, (grammar) => grammar.put('main')],
    [3, (grammar) => grammar.read('main')],
    [1, (grammar) => grammar.put('side')],
  ],
  hooks: [
    [6, (grammar) => grammar.newHook()],
    [5, (grammar) => grammar.oldHook()],
    [1, (grammar) => ({ do: 'forge', id: grammar.nextId() })],
  ],
  side: [
    [3, (grammar) => ({ do: 'create', shards: 1 + grammar.random.below(3) })],
    [1, () => ({ do: 'delete' })],
    [4, (grammar) => grammar.put('side')],
    [2, (grammar) => grammar.read('side')],
    [1, (grammar) => grammar.reshard('side')],
    [1, () => ({ do: 'check', stream: 'side' })],
  ],
  shards: [
    [5, (grammar) => grammar.reshard('main')],
    [2, (grammar) => grammar.retain()],
    [1, () => ({ do: 'check', stream: 'main' })],
  ],
  deliveries: [
    [3, (grammar) => ({ do: 'direct', id: grammar.nextId(), count: grammar.few(4) })],
    [1, () => ({ do: 'deliver' })],
    [0.4, () => ({ do: 'undeliver' })],
    [1, (grammar) => ({ do: 'look', delivery: grammar.delivery() })],
    [0.3, (grammar) => ({ do: 'flush', delivery: grammar.delivery() })],
  ],
  fans: [[1, (grammar) => grammar.subscribe()]],
};

/** The most steps of a client in one life. */
const STEPS_MAX: Readonly<Record<string, number>> = {
  a: 9,
  b: 9,
  hooks: 8,
  side: 7,
  shards: 4,
  deliveries: 7,
  fans: 2,
};

/** One seed of so many also turns bits: what happens then can be promised less of. */
const SEEDS_PER_FLIPS = 5;

/** The run that a seed stands for in the suite. */
export function planOfSeed(seed: number): Plan {
  return growPlan(seed, { flips: seed % SEEDS_PER_FLIPS === 0 });
}

/** Grows the run of a seed: several lives of clients at work and a machine that fails them. */
export function growPlan(seed: number, options: PlanOptions): Plan {
  return new Grammar(seed, options).plan();
}

class Grammar {
  readonly random: SeededRandom;
  readonly #seed: number;
  readonly #traits: Traits;
  readonly #hooks: number[] = [];
  #id = 0;
  #clockMs = 0;
  #isBounded = false;

  constructor(seed: number, { flips }: PlanOptions) {
    this.#seed = seed;
    this.random = new SeededRandom(seed).fork(77);
    const { random } = this;
    this.#traits = { hasLargeRecords: random.chance(0.08), hasClockSteps: random.chance(0.25), flips };
  }

  plan(): Plan {
    const node = this.#node();
    const steps: Step[] = [];
    for (let lives = LIVES_MIN + this.random.below(LIVES_MORE); lives > 0; lives -= 1) {
      steps.push(...this.#life());
      if (this.random.chance(0.08)) steps.push(...this.#storm());
    }
    return { seed: this.#seed, node, steps };
  }

  nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  /** 1 to `max`, mostly the lower half. */
  few(max: number): number {
    return 1 + Math.min(this.random.below(max), this.random.below(max));
  }

  put(stream: StreamName): ClientAction {
    const records = Array.from({ length: this.few(8) }, () => this.#record(stream));
    return { do: 'put', stream, id: this.nextId(), records };
  }

  read(stream: StreamName): ClientAction {
    const { random } = this;
    const [type, limit] = [random.pick(READ_TYPES), random.pick([1, 3, 20, 1000])];
    return { do: 'read', stream, type, shard: this.share(), at: this.share(), pages: 1 + random.below(8), limit };
  }

  subscribe(): ClientAction {
    const { random } = this;
    const [type, ms] = [random.pick(READ_TYPES), random.below(random.chance(0.1) ? 8000 : 200)];
    return { do: 'subscribe', id: this.nextId(), type, shard: this.share(), at: this.share(), ms };
  }

  reshard(stream: StreamName): ClientAction {
    const { random } = this;
    const kind = random.below(3);
    if (kind === 0) return { do: 'split', stream, shard: this.share(), at: this.share() };
    if (kind === 1) return { do: 'merge', stream, shard: this.share() };
    return { do: 'count', stream, shards: 1 + random.below(6) };
  }

  retain(): ClientAction {
    return { do: 'retain', stream: 'main', hours: 24 + this.random.below(49) };
  }

  newHook(): ClientAction {
    const id = this.nextId();
    this.#hooks.push(id);
    return { do: 'hook', id, copies: this.#copies() };
  }

  oldHook(): ClientAction {
    if (this.#hooks.length === 0) return this.newHook();
    return { do: 'hook', id: this.random.pick(this.#hooks), copies: this.#copies() };
  }

  delivery(): DeliveryName {
    return this.random.pick(['archive', 'direct', 'extra']);
  }

  share(): number {
    return this.random.below(1000) / 1000;
  }

  #node(): NodeShape {
    const { random } = this;
    const other = new SeededRandom(this.#seed).fork(78);
    const handler = growHandler(new SeededRandom(this.#seed).fork(79));
    const failing = growFailing(new SeededRandom(this.#seed).fork(81));
    const shaping = growShaping(new SeededRandom(this.#seed).fork(83));
    const room = growRoom(new SeededRandom(this.#seed).fork(85));
    this.#isBounded = room.diskBytesMax !== undefined;
    return {
      shardCount: 1 + random.below(4),
      isGzip: random.chance(0.3),
      intervalSeconds: random.below(4),
      segmentBytesMax: random.pick([6000, 20_000, 200_000]),
      sync: other.pick(SYNC_MODES),
      snapshotEvery: other.pick([10, 40, 5000]),
      ...(handler !== undefined && { handler }),
      ...(failing !== undefined && { failing }),
      ...(shaping !== undefined && { shaping }),
      ...room,
    };
  }

  #life(): Step[] {
    const { random } = this;
    const steps = Object.keys(CLIENTS).flatMap((client) => this.#client(client));
    // What an earlier life left is looked at before anything is added to it.
    if (random.chance(0.3)) steps.unshift({ client: 'shards', pauseMs: 0, do: 'check', stream: 'main' });
    const isStill = random.chance(0.15);
    const { hasClockSteps, flips } = this.#traits;
    const mayStep = hasClockSteps || this.#isBounded;
    const machine = growMachine(random, { clockMs: mayStep ? this.#clockMs : undefined, flips, isStill });
    for (const step of machine) if (step.do === 'step') this.#clockMs += step.ms;
    if (this.#isBounded) steps.push(...this.#late());
    const close = random.chance(0.4);
    return [...machine, ...steps, { client: '', pauseMs: 0, do: 'end', close, power: random.chance(0.6) }];
  }

  /** Until a clock that was set forward is believed, and the log gives up what is over: it may have room again. */
  #late(): Step[] {
    if (!this.random.chance(0.4)) return [];
    const puts = Array.from({ length: 3 }, (): Step => ({ client: 'late', pauseMs: 5000, ...this.put('main') }));
    return [{ client: 'late', pauseMs: DOUBT_MS, do: 'check', stream: 'main' }, ...puts];
  }

  #client(client: string): Step[] {
    const rules = CLIENTS[client] ?? [];
    const { random } = this;
    return Array.from({ length: random.below((STEPS_MAX[client] ?? 0) + 1) }, () => {
      const pauseMs = random.chance(0.5) ? 0 : random.below(random.chance(0.1) ? 4000 : 40);
      return { client, pauseMs, ...choose(rules, random)(this) };
    });
  }

  /** The power goes again and again while the machine starts. */
  #storm(): Step[] {
    const { random } = this;
    return Array.from({ length: 1 + random.below(STORM_LIVES_MAX) }, (): Step[] => [
      { client: 'machine', pauseMs: 0, do: 'cut', operations: 1 + random.below(25) },
      { client: '', pauseMs: 0, do: 'end', close: false, power: true },
    ]).flat();
  }

  #record(stream: StreamName): PlannedRecord {
    const { random } = this;
    const key = String(random.below(24));
    const hash = random.chance(0.15) ? { hash: this.share() } : {};
    return { key, ...hash, bytes: this.#bytes(stream) };
  }

  #bytes(stream: StreamName): number {
    const { random } = this;
    if (this.#traits.hasLargeRecords && random.chance(0.04)) {
      return random.below(stream === 'side' ? 3_000_000 : 1_000_000);
    }
    return random.chance(0.2) ? random.below(3000) : random.below(60);
  }

  #copies(): number {
    return this.random.chance(0.3) ? 3 : 1;
  }
}

/** Every other node hands its main stream to a function. */
function growHandler(random: SeededRandom): NodeShape['handler'] {
  if (random.chance(0.5)) return undefined;
  const batchWindowSeconds = random.chance(0.7) ? 0 : 1 + random.below(3);
  return { batchSize: random.pick([1, 3, 10, 100]), batchWindowSeconds, bisectOnError: random.chance(0.5) };
}

/** Every other node has a delivery to a destination that fails. */
function growFailing(random: SeededRandom): NodeShape['failing'] {
  if (random.chance(0.5)) return undefined;
  const retrySeconds = random.pick([0, 5, 60, 7200]);
  return { retrySeconds, bufferSeconds: random.below(3), isBackedUp: random.chance(0.4) };
}

/** Every other node has a delivery whose records a function processes. */
function growShaping(random: SeededRandom): NodeShape['shaping'] {
  if (random.chance(0.5)) return undefined;
  return { retries: random.below(3), intervalSeconds: random.below(3), bufferSeconds: random.below(3) };
}

/** Some nodes keep a reserve, and some of those may take little of the disk: files must be small then. */
function growRoom(
  random: SeededRandom,
): Pick<NodeShape, 'reserveBytes' | 'diskBytesMax'> & Partial<Pick<NodeShape, 'segmentBytesMax' | 'snapshotEvery'>> {
  if (!random.chance(0.3)) return {};
  const reserveBytes = random.pick([4096, 16_384]);
  if (!random.chance(0.5)) return { reserveBytes };
  return { reserveBytes, diskBytesMax: 50_000 + random.below(100_000), segmentBytesMax: 6000, snapshotEvery: 10 };
}

function choose(rules: readonly Rule[], random: SeededRandom): Rule[1] {
  let left = random.fraction() * rules.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, action] of rules) {
    left -= weight;
    if (left < 0) return action;
  }
  return (rules[0] as Rule)[1];
}
