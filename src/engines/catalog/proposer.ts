import { Defect, RequestError } from '../../kernel/errors.ts';
import type { CatalogOp, Verdict } from '../../ports/catalog.ts';
import type { CommandLog } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import { Unavailable, type Offset } from '../../ports/stream-store.ts';
import { encodeCommand, encodeOps, isLeaseRequest, type Marker } from './command.ts';
import type { Outcome } from './model.ts';

/** Most proposals, and characters of them, that wait at the same time. */
const WAITING_MAX = 10_000;
const WAITING_CHARACTERS_MAX = 16 * 1024 * 1024;
/** Most proposals, and characters of them, that one append carries. */
const BATCH_MAX = 512;
const BATCH_CHARACTERS_MAX = 512 * 1024;
/** Most characters of one proposal. */
const PROPOSAL_CHARACTERS_MAX = 4 * 1024 * 1024;
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 5000;

interface Pending {
  readonly opsText: string;
  readonly ends: boolean;
  readonly marker?: Marker | undefined;
  resolve(verdict: Verdict): void;
  reject(error: Error): void;
}

interface LiveSession {
  readonly id: string;
  readonly opened: Offset;
  sequence: number;
}

/**
 * Brings proposals into the log, one batch in flight at a time, and answers each when its command is read back. An
 * append whose outcome is unknown is repeated with the same bytes until it is known: the fold drops the copies.
 */
export class Proposer {
  readonly #log: CommandLog;
  readonly #environment: Environment;
  readonly #stop = new AbortController();
  readonly #queue: Pending[] = [];
  readonly #sent = new Map<string, Pending>();
  /** How many at the front of the queue wait for a second time. */
  #returned = 0;
  #waitingCharacters = 0;
  #session: LiveSession | undefined;
  #pump: Promise<void> | undefined;
  #closing = false;
  #failure: Error | undefined;

  constructor(log: CommandLog, environment: Environment) {
    this.#log = log;
    this.#environment = environment;
  }

  async propose(ops: readonly CatalogOp[]): Promise<Verdict> {
    if (this.#closing) throw new Unavailable('the catalog is closing');
    const isRefused = ops.some((op) => 'lease' in op && !isLeaseRequest(op.lease));
    if (isRefused) throw new Defect('a lease has an owner of up to 256 characters and ends within a day');
    const opsText = encodeOps(ops);
    if (opsText.length > PROPOSAL_CHARACTERS_MAX) {
      throw new RequestError('LimitExceededException', `a change may have ${PROPOSAL_CHARACTERS_MAX} characters`);
    }
    return await this.#enqueue({ opsText, ends: false });
  }

  /** Places a marker behind all that waits. Rejects with Unavailable. */
  async mark(marker: Marker): Promise<void> {
    if (this.#closing) throw new Unavailable('the catalog is closing');
    await this.#enqueue({ opsText: '[]', ends: false, marker });
  }

  /**
   * Takes the outcome of a command that was read back from the log, whoever wrote it. True when somebody waited for it
   * here, which happens once for a command of this process and never for others.
   */
  settle(session: string, sequence: number, outcome: Outcome, offset: Offset): boolean {
    const pending = this.#sent.get(nameOf(session, sequence));
    // A second copy finds nobody waiting.
    if (pending === undefined || outcome.kind === 'duplicate') return false;
    this.#sent.delete(nameOf(session, sequence));
    if (outcome.kind === 'expired') {
      this.#sendAgain(session, pending);
      return true;
    }
    this.#waitingCharacters -= pending.opsText.length;
    if (outcome.kind === 'accepted') pending.resolve({ accepted: true, revision: offset });
    else if (outcome.kind === 'conflicts') pending.resolve({ accepted: false, conflicts: outcome.conflicts });
    else pending.reject(new Unavailable('the catalog is full: remove streams or delivery streams first'));
    return true;
  }

  /** Answers everybody with `error` and takes no more. */
  fail(error: Error): void {
    this.#failure = error;
    this.#closing = true;
    this.#stop.abort();
    this.#rejectAll(error);
  }

  /** Finishes what waits, then ends the session, with a marker if one is given, so that nobody need remember it. */
  async close(marker?: Marker): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.#pump;
    if (this.#session === undefined || this.#failure !== undefined) return;
    try {
      await this.#enqueue({ opsText: '[]', ends: true, marker });
    } catch (error) {
      // A session that was not ended is forgotten after a day.
      this.#environment.log.warn('catalog.session.kept', { reason: String(error) });
    }
  }

  async #enqueue(change: Pick<Pending, 'opsText' | 'ends' | 'marker'>): Promise<Verdict> {
    const { opsText } = change;
    const waiting = this.#queue.length + this.#sent.size;
    if (waiting >= WAITING_MAX || this.#waitingCharacters + opsText.length > WAITING_CHARACTERS_MAX) {
      throw new Unavailable('too many changes wait for the catalog');
    }
    this.#waitingCharacters += opsText.length;
    return await new Promise<Verdict>((resolve, reject) => {
      this.#queue.push({ ...change, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    this.#pump ??= this.#run().finally(() => {
      this.#pump = undefined;
      if (this.#queue.length > 0 && this.#failure === undefined) this.#start();
    });
  }

  async #run(): Promise<void> {
    // Lets calls of the same turn share an append.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#failure === undefined) {
      try {
        if (this.#session === undefined) await this.#openSession();
        else await this.#sendBatch(this.#session);
      } catch (error) {
        this.#rejectQueue(asError(error));
        return;
      }
    }
  }

  async #openSession(): Promise<void> {
    const id = this.#environment.random.uuid();
    const answer = new Promise<Verdict>((resolve, reject) => {
      this.#sent.set(nameOf(id, 1), { opsText: '', ends: false, resolve, reject });
    });
    // The append's own failure is thrown below.
    answer.catch(() => undefined);
    await this.#append([encodeCommand({ session: id, sequence: 1, ends: false }, '[]')], [nameOf(id, 1)]);
    const verdict = await answer;
    if (verdict.accepted) this.#session = { id, opened: verdict.revision, sequence: 1 };
  }

  async #sendBatch(session: LiveSession): Promise<void> {
    const { id, opened } = session;
    const names: string[] = [];
    const commands: Uint8Array[] = [];
    this.#tellWaiting();
    for (const pending of this.#takeBatch()) {
      session.sequence += 1;
      const { sequence } = session;
      this.#sent.set(nameOf(id, sequence), pending);
      names.push(nameOf(id, sequence));
      commands.push(encodePending(pending, { id, sequence, opened }));
    }
    try {
      await this.#append(commands, names);
    } catch (error) {
      for (const name of names) this.#rejectSent(name, asError(error));
    }
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    this.#environment.meter.gauge('catalog_waiting_changes', {}, this.#queue.length);
  }

  #takeBatch(): Pending[] {
    let characters = 0;
    let count = 0;
    for (const { opsText } of this.#queue) {
      characters += opsText.length;
      if (count === BATCH_MAX || (count > 0 && characters > BATCH_CHARACTERS_MAX)) break;
      count += 1;
    }
    this.#returned = Math.max(0, this.#returned - count);
    return this.#queue.splice(0, count);
  }

  /** Throws Unavailable only when nothing was written. */
  async #append(commands: readonly Uint8Array[], names: readonly string[]): Promise<void> {
    const { clock, log } = this.#environment;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#log.append(commands);
        return;
      } catch (error) {
        if (attempt === 0 && error instanceof Unavailable) throw error;
        log.warn('catalog.append.unknown', { attempt, reason: String(error) });
        await clock.sleep(Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_LAST_MS), this.#stop.signal);
        if (names.every((name) => !this.#sent.has(name))) return;
        // While closing nobody waits for a log that does not answer.
        if (this.#closing) throw this.#failure ?? error;
      }
    }
  }

  #sendAgain(session: string, pending: Pending): void {
    if (this.#session?.id === session) this.#session = undefined;
    if (pending.ends) {
      pending.resolve({ accepted: false, conflicts: [] });
      return;
    }
    this.#queue.splice(this.#returned, 0, pending);
    this.#returned += 1;
    this.#start();
  }

  #rejectSent(name: string, error: Error): void {
    const pending = this.#sent.get(name);
    this.#sent.delete(name);
    if (pending === undefined) return;
    this.#waitingCharacters -= pending.opsText.length;
    pending.reject(error);
  }

  #rejectQueue(error: Error): void {
    this.#returned = 0;
    for (const pending of this.#queue.splice(0)) {
      this.#waitingCharacters -= pending.opsText.length;
      pending.reject(error);
    }
  }

  #rejectAll(error: Error): void {
    this.#rejectQueue(error);
    for (const name of this.#sent.keys()) this.#rejectSent(name, error);
  }
}

function encodePending({ opsText, ends, marker }: Pending, { id, sequence, opened }: LiveSession): Uint8Array {
  return encodeCommand({ session: id, sequence, opened, ends, ...(marker === undefined ? {} : { marker }) }, opsText);
}

function nameOf(session: string, sequence: number): string {
  return `${session}/${sequence}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
