import { DeliveryError, RequestError, ThrottleError, messageOf } from '../../../kernel/errors.ts';
import { backoffMs, type BackoffOptions } from '../../../kernel/flow/backoff.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import type { Clock } from '../../../ports/environment.ts';
import type { Invocation } from '../../../ports/functions.ts';
import { isStored, type ShardInfo, type StreamInfo } from '../../../ports/records.ts';
import type { Offset } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { failureDocument } from '../failure-document.ts';
import { functionAnswer, type FunctionAnswer } from '../function-answer.ts';
import {
  givenUp,
  halvesOf,
  loadPiece,
  restOf,
  type GivenUpItems,
  type Item,
  type LoadedPiece,
  type Piece,
} from '../function-batch.ts';
import { functionTarget, type FunctionTarget } from '../function-options.ts';
import { firehoseLimits } from '../limits.ts';
import { sourceStream, type DeliveryStream, type Step } from '../model.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { missingFunction, withEventBytes } from './event-bytes.ts';
import type { WorkerDoors } from './worker.ts';

/** What pieces of one shard are handed over with. */
export interface PieceDoors extends WorkerDoors {
  readonly shard: ShardInfo;
  /** As it is now. */
  readonly delivery: () => DeliveryStream;
  readonly notes: DeliveryNotes;
  /** Nothing is to be begun any more. */
  readonly stopped: AbortSignal;
  /** What is under way is to end, and counts as never handed over. */
  readonly cut: AbortSignal;
  /** Resolves once the position says so. */
  step(step: Omit<Step, 'shard'>): Promise<void>;
}

/** What came of a piece: what is left of it, in order, and how long to wait before the next attempt. */
export interface HandedOver {
  readonly left: readonly Piece[];
  readonly pauseMs?: number;
}

const RETRY: BackoffOptions = { baseMs: firehoseLimits.backoffBaseMs, maxMs: firehoseLimits.backoffMaxMs };
const WAIT: BackoffOptions = { baseMs: firehoseLimits.functionWaitBaseMs, maxMs: firehoseLimits.functionWaitMaxMs };
const DONE: HandedOver = { left: [] };

/** Hands pieces of one shard to the function, each attempt on its own, and takes in what the answer says. */
export class PieceDelivery {
  readonly #doors: PieceDoors;

  constructor(doors: PieceDoors) {
    this.#doors = doors;
  }

  /** One attempt. Rejects with LostOwnership, and as Records.read and Functions.invoke do. */
  async handOver(piece: Piece, stream: StreamInfo | undefined): Promise<HandedOver> {
    const { functions, stopped } = this.#doors;
    const target = functionTarget(this.#doors.delivery().target.options);
    // What went with it is told when nothing is under way any more.
    if (stream === undefined) return DONE;
    if (piece.givenUp !== undefined) return await this.#giveUp(piece, piece.givenUp, target);
    if (!functions.has(target.name)) return this.#waits(piece, missingFunction(target.name));
    // The records, and the event made of them.
    const bytes = 2 * piece.bytes;
    const attempt = async (): Promise<HandedOver> => await this.#attempt(piece, target, stream);
    return (await withEventBytes(this.#doors, bytes, stopped, attempt)) ?? { left: [piece] };
  }

  async #attempt(piece: Piece, target: FunctionTarget, stream: StreamInfo): Promise<HandedOver> {
    const { records, environment, identity, notes } = this.#doors;
    const source = { stream: sourceStream(this.#doors.delivery()), identity };
    const loaded = await loadPiece(piece, target, { records, environment, stream, source });
    const { aged, items, isDamaged } = loaded;
    const gone = piece.records - aged.length - items.length;
    if (gone > 0) notes.lost(gone, isDamaged ? 'LogDamaged' : 'RetentionExceeded');
    const rest = restOf(piece, items, 0);
    if (aged.length > 0) {
      const old = givenUp({ ...piece, to: rest.from }, aged, 'RecordAgeExceeded');
      return { left: items.length > 0 ? [old, rest] : [old] };
    }
    if (items.length > 0) return await this.#call(rest, target, loaded);
    await this.#doors.step({ to: piece.to, taken: 0, failed: 0 });
    return DONE;
  }

  async #call(piece: Piece, target: FunctionTarget, { items, event }: LoadedPiece): Promise<HandedOver> {
    if (event.length > firehoseLimits.eventBytesMax) {
      return { left: items.length > 1 ? halvesOf(piece, items) : [givenUp(piece, items, 'PayloadSizeExceeded')] };
    }
    const invocation = await this.#invoke(target, event);
    // What was cut off says nothing of the function.
    if (this.#doors.cut.aborted) return { left: [piece] };
    if (typeof invocation === 'string') return this.#waits(piece, invocation);
    const answer = await answerOf(invocation, items, this.#doors.environment.clock);
    if (answer.kind === 'all') {
      await this.#took(items, piece.to);
      return DONE;
    }
    const taken = answer.kind === 'some' ? answer.taken : 0;
    const message = answer.kind === 'some' ? 'it named records that it did not take' : answer.message;
    this.#doors.notes.failed(new DeliveryError('FunctionFailed', `function ${target.name}: ${message}`, true));
    const { requestId, failure } = invocation;
    const last = { requestId, ...(failure !== undefined && { failure }) };
    const rest = restOf({ ...piece, calls: piece.calls + 1, last }, items, taken);
    if (taken > 0) await this.#took(items.slice(0, taken), rest.from);
    return this.#again(rest, target, items.slice(taken), taken > 0);
  }

  /** What came back, or why the function could not be called. */
  async #invoke(target: FunctionTarget, event: Uint8Array): Promise<Invocation | string> {
    const { functions, cut } = this.#doors;
    try {
      return await functions.invoke(target.name, event, { signal: cut });
    } catch (error) {
      if (cut.aborted || error instanceof ThrottleError || error instanceof RequestError) {
        return `function ${target.name}: ${messageOf(error)}`;
      }
      throw error;
    }
  }

  #waits(piece: Piece, message: string): HandedOver {
    const { notes, environment } = this.#doors;
    notes.waits(message);
    return { left: [piece], pauseMs: backoffMs(notes.attempts, WAIT, environment.random.fraction()) };
  }

  /** After a call that did not take all; `isShorter`: it took some. */
  #again(rest: Piece, target: FunctionTarget, items: readonly Item[], isShorter: boolean): HandedOver {
    // As on Lambda, halves cost no try.
    if (target.bisectOnError && isShorter) return { left: [{ ...rest, tries: 0 }] };
    if (target.bisectOnError && items.length > 1) return { left: halvesOf(rest, items) };
    const tries = isShorter ? 1 : rest.tries + 1;
    const again = { ...rest, tries };
    if (tries > target.retries) return { left: [givenUp(again, items, 'RetryAttemptsExhausted')] };
    return { left: [again], pauseMs: backoffMs(tries, RETRY, this.#doors.environment.random.fraction()) };
  }

  async #took(items: readonly Item[], to: Offset): Promise<void> {
    const { meter, clock } = this.#doors.environment;
    const delivery = this.#doors.delivery().name;
    await this.#doors.step({ to, taken: items.length, failed: 0 });
    this.#doors.notes.succeeded();
    meter.count(firehoseEvents.recordsOut, { delivery }, items.length);
    meter.gauge(firehoseEvents.freshness, { delivery }, Math.max(0, clock.now() - (items[0]?.at ?? clock.now())));
  }

  /** Writes the document, when there is a stream for it, and goes on behind the records. */
  async #giveUp(piece: Piece, items: GivenUpItems, target: FunctionTarget): Promise<HandedOver> {
    const { environment, shard, notes } = this.#doors;
    const { name: delivery } = this.#doors.delivery();
    const { condition, first, final, count } = items;
    if (target.onFailure !== undefined) {
      const problem = await this.#write(target.onFailure, this.#document(piece, items, target));
      if (problem !== undefined) return this.#waits(piece, problem);
    }
    await this.#doors.step({ to: piece.to, taken: 0, failed: count });
    notes.succeeded();
    environment.meter.count(firehoseEvents.recordsFailed, { delivery }, count);
    environment.log.error(firehoseEvents.gaveUp, {
      delivery,
      records: count,
      reason: condition,
      shard: shard.id,
      from: first.sequenceNumber,
      to: final.sequenceNumber,
      calls: piece.calls,
    });
    return DONE;
  }

  #document(piece: Piece, { condition, first, final, count }: GivenUpItems, { name }: FunctionTarget): string {
    const { environment, identity, shard } = this.#doors;
    const delivery = this.#doors.delivery();
    return failureDocument({
      delivery: delivery.name,
      functionName: name,
      stream: sourceStream(delivery),
      identity,
      condition,
      calls: piece.calls,
      last: piece.last,
      shardId: shard.id,
      first,
      final,
      count,
      now: environment.clock.now(),
      id: environment.random.uuid(),
    });
  }

  /** Undefined once it is durable, else what kept it. */
  async #write(stream: string, document: string): Promise<string | undefined> {
    const { records, shard } = this.#doors;
    if (records.describe(stream) === undefined) return `there is no stream ${stream} for failures`;
    const [result] = await records.append(stream, [{ partitionKey: shard.id, data: Buffer.from(document) }]);
    return result !== undefined && isStored(result) ? undefined : `failures cannot be written to ${stream}`;
  }
}

async function answerOf(
  { failure, payload }: Invocation,
  items: readonly Item[],
  clock: Clock,
): Promise<FunctionAnswer> {
  if (failure !== undefined) return { kind: 'none', message: `${failure.type}: ${failure.message}` };
  const identifiers = items.map(({ identifier }) => identifier);
  return await functionAnswer(payload, identifiers, async () => await nextTurn(clock));
}
