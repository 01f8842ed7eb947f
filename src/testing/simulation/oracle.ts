import { hashKeyOf } from '../../kernel/stream/hash-key.ts';
import { promised } from './broken-promise.ts';
import { BucketModel } from './bucket-model.ts';
import { DestinationModel } from './destination-model.ts';
import { FunctionModel } from './function-model.ts';
import { payload } from './payload.ts';
import type { DeliveryName, StreamName } from './plan.ts';
import type { Place, Sent } from './sent-record.ts';
import { ShapingModel } from './shaping-model.ts';
import { StreamModel } from './stream-model.ts';
import { RetentionHistory, WallHistory } from './timeline.ts';

const HOUR_MS = 3_600_000;
/** What a new stream keeps its records for, ms. */
const RETENTION_MS = 24 * HOUR_MS;
const DIRECT_RETENTION_MS = 8760 * HOUR_MS;

/** Whether what comes and goes by the API is there; `unsure`: a change is under way, or nobody knows. */
export type Presence = 'there' | 'absent' | 'unsure';

interface Side {
  readonly presence: Presence;
  readonly model: StreamModel | undefined;
}

interface Extra {
  readonly presence: Presence;
  readonly since: number;
}

interface Hook {
  readonly sent: Sent;
  answer: Place | undefined;
}

/** All that clients were told over the lives of a node, and what therefore must be. */
export class Oracle {
  readonly wall: WallHistory;
  readonly main: StreamModel;
  readonly direct: StreamModel;
  /** What the function of the delivery `handler` got. */
  readonly handler: FunctionModel;
  /** What came to the destination of the delivery `failing`, and its backup of all records. */
  readonly failing: DestinationModel;
  readonly backup: BucketModel;
  /** What a function made of the records of the delivery `shaped`. */
  readonly shaping: ShapingModel;
  readonly buckets: Readonly<Record<DeliveryName, BucketModel>>;
  /** Bits that were turned so far: what they hit may be lost, and with it ids. */
  flips = 0;
  /** Records that subscribers were sent, and ends of shards. */
  followed = 0;
  ends = 0;
  /** A power cut may have taken something that was told. */
  #hasLost = false;
  readonly #hooks = new Map<string, Hook>();
  #side: Side = { presence: 'absent', model: undefined };
  #extra: Extra = { presence: 'absent', since: Infinity };
  /** Whether `side` or `extra` came or went since all that was told was known to survive a power cut. */
  #hasSideChanged = false;
  #hasExtraChanged = false;
  #sideStreams: StreamModel[] = [];

  /** `startedAtMs`: what the wall clock shows at virtual time 0. */
  constructor(startedAtMs: number) {
    this.wall = new WallHistory(startedAtMs);
    this.main = new StreamModel('main', this.wall, new RetentionHistory(0, RETENTION_MS));
    this.direct = new StreamModel('direct', this.wall, new RetentionHistory(0, DIRECT_RETENTION_MS));
    this.handler = new FunctionModel(this.main, () => this.flips > 0 || this.#hasLost);
    this.failing = new DestinationModel(this.main);
    this.backup = new BucketModel(this.main);
    this.shaping = new ShapingModel(this.main);
    this.buckets = {
      archive: new BucketModel(this.main),
      extra: new BucketModel(this.main),
      direct: new BucketModel(this.direct),
    };
  }

  /** The stream `side` as it was created last. */
  get side(): Side {
    return this.#side;
  }

  set side(side: Side) {
    this.#hasSideChanged ||= side.presence !== this.#side.presence;
    this.#side = side;
  }

  /** The delivery `extra`; what was sent after `since` (virtual ms) is promised to be delivered. */
  get extra(): Extra {
    return this.#extra;
  }

  set extra(extra: Extra) {
    this.#hasExtraChanged ||= extra.presence !== this.#extra.presence;
    this.#extra = extra;
  }

  /** All that was told so far survives a power cut. */
  isDurable(): void {
    this.#hasSideChanged = false;
    this.#hasExtraChanged = false;
  }

  /**
   * The power was cut: what was told after `since` may be gone, changes of the catalog too. Returns how many records
   * that are.
   */
  mayLose(since: number, now: number): number {
    this.#hasLost = true;
    const count = this.main.mayLose(since, now) + this.direct.mayLose(since, now);
    if (this.#hasExtraChanged) this.extra = { presence: 'unsure', since: Infinity };
    if (!this.#hasSideChanged) return count + (this.side.model?.mayLose(since, now) ?? 0);
    // Whichever of those that were there is back, nothing is promised of it.
    const model = new StreamModel('side', this.wall, new RetentionHistory(now, RETENTION_MS));
    model.isDeleted = true;
    this.side = { presence: 'unsure', model };
    return count;
  }

  /** Whether a power cut may have taken something that was told. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Records known to be stored, over all streams. */
  get acknowledged(): number {
    return [this.main, this.direct, ...this.#sideStreams].reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  get objects(): number {
    return Object.values(this.buckets).reduce((sum, { objectCount }) => sum + objectCount, 0);
  }

  /** The stream, unless clients know that there is none. */
  stream(name: StreamName): StreamModel | undefined {
    if (name === 'main') return this.main;
    return this.side.presence === 'absent' ? undefined : this.side.model;
  }

  /** Whether a record could not be read after a bit was turned and is owed still, in a stream that is there. */
  isDamaged(now: number): boolean {
    const side = this.stream('side');
    const models = side === undefined || side.isDeleted ? [this.main] : [this.main, side];
    return models.some((model) => model.damaged().some((sent) => !model.mayBeExpired(sent, now)));
  }

  /** A new `side` is about to be created. */
  createsSide(now: number): void {
    const model = new StreamModel('side', this.wall, new RetentionHistory(now, RETENTION_MS));
    this.#sideStreams.push(model);
    this.side = { presence: 'unsure', model };
  }

  /** A webhook is about to be posted, for the first time or again. */
  posts(deliveryId: string, life: number, now: number): Sent {
    const text = `hook-${deliveryId}`;
    const hashKey = hashKeyOf(deliveryId);
    const bytes = payload(text, 0).length;
    const sent = this.main.sends({ text, bytes, hashKey, sender: undefined, life }, now);
    sent.mayMove ||= this.flips > 0;
    if (!this.#hooks.has(deliveryId)) this.#hooks.set(deliveryId, { sent, answer: undefined });
    return sent;
  }

  /** One id has one answer, for ever. Whether it had it before. */
  answersHook(deliveryId: string, place: Place, now: number): boolean {
    const hook = this.#hooks.get(deliveryId);
    promised(hook !== undefined, `the id ${deliveryId} was never posted and got an answer`);
    const { answer = place, sent } = hook;
    // Where the record is gone, a crash may have taken its id along.
    const isSame = answer.sequenceNumber === place.sequenceNumber || sent.mayMove;
    promised(isSame, `the id ${deliveryId} got a second answer`);
    const isRepeat = hook.answer?.sequenceNumber === place.sequenceNumber;
    hook.answer = place;
    this.main.stands(hook.sent, place, now);
    return isRepeat;
  }

  /** Ids posted so far. */
  get hookIds(): readonly string[] {
    return [...this.#hooks.keys()];
  }
}
