import type { Simulation } from '../../environments/simulated/index.ts';
import { promised } from './broken-promise.ts';
import type { Oracle } from './oracle.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { NodeShape, StreamName } from './plan.ts';
import type { Room } from './room.ts';
import type { ListedShard } from './shard-tree.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { StreamModel } from './stream-model.ts';

const KINESIS = 'Kinesis_20131202';
const FIREHOSE = 'Firehose_20150804';

/** One life of a node, as its clients see it. */
export class Life {
  readonly simulation: Simulation;
  readonly node: SimulatedNode;
  readonly oracle: Oracle;
  readonly shape: NodeShape;
  readonly room: Room;
  /** Counted from 0 over the run. */
  readonly number: number;
  /** Something is or was wrong with the disk or with what it holds: errors need no other reason. */
  readonly isTroubled: () => boolean;
  /** Bits were turned and nothing else is wrong: a place that cannot be read is damaged. */
  readonly isOnlyDamaged: () => boolean;

  constructor(
    parts: Pick<Life, 'simulation' | 'node' | 'oracle' | 'shape' | 'room' | 'number' | 'isTroubled' | 'isOnlyDamaged'>,
  ) {
    this.simulation = parts.simulation;
    this.node = parts.node;
    this.oracle = parts.oracle;
    this.shape = parts.shape;
    this.room = parts.room;
    this.number = parts.number;
    this.isTroubled = parts.isTroubled;
    this.isOnlyDamaged = parts.isOnlyDamaged;
  }

  /** Virtual ms. */
  get now(): number {
    return this.simulation.now;
  }

  /** Whether what was asked at `askedAt` may find no room, or a disk that fails. */
  mayRefuse(askedAt: number): boolean {
    if (this.isTroubled()) return true;
    const isShort = this.room.wasShort(askedAt);
    if (isShort) this.room.refuses();
    return isShort;
  }

  /** Calls an action of Kinesis. */
  async kinesis(action: string, input: object): Promise<Outcome> {
    return await this.#call(`${KINESIS}.${action}`, input);
  }

  /** Calls an action of Firehose. */
  async firehose(action: string, input: object): Promise<Outcome> {
    return await this.#call(`${FIREHOSE}.${action}`, input);
  }

  /** All shards that are shown; the model learns them. Undefined: there is no stream, or no answer. */
  async shards(name: StreamName, model: StreamModel): Promise<readonly ListedShard[] | undefined> {
    const { now } = this;
    const outcome = await this.kinesis('ListShards', { StreamName: name });
    if (outcome.kind !== 'done') return undefined;
    const { Shards } = outcome.answer as { Shards: readonly ListedShard[] };
    if (!model.isDeleted) model.tree.learn(Shards, now);
    return Shards;
  }

  /** Nothing but a disk that fails or has no room makes the node say that it does not know. */
  async #call(target: string, input: object): Promise<Outcome> {
    const { now } = this;
    const outcome = await outcomeOf(this.node.call(target, input));
    promised(outcome.kind !== 'unknown' || this.mayRefuse(now), `${target} failed, and nothing is wrong with the disk`);
    return outcome;
  }
}
