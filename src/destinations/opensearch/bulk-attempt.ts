import { DeliveryError } from '../../kernel/errors.ts';
import { KeptMessages } from '../../kernel/flow/kept-messages.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { isUnanswered, type Delivered, type OutgoingRecord, type Refused } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { bulkVerdicts, type Verdict } from './bulk-answer.ts';
import { BulkBody } from './bulk-body.ts';
import type { AttemptBounds } from './bulk-memory.ts';
import type { Cluster } from './cluster.ts';
import { oneLineObject } from './document.ts';
import { failure, noDocument, statusFailure } from './errors.ts';
import type { Naming } from './naming.ts';

/** Records are looked through for so many bytes in one turn of the loop. */
const TURN_BYTES = 512 * 1024;
/** Of an answer that is about each document, only this much of what is wrong. */
const FILTER = 'filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by';
const TOO_LARGE = 413;
/** Of what engines say of documents, which mostly quotes the document: of all that one attempt holds. */
const MESSAGE_CHARACTERS_MAX = 1024 * 1024;

/** What an attempt asks, and of whom. */
export interface BulkAttemptOptions {
  readonly cluster: Cluster;
  readonly naming: Naming;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Whether documents have ids of ours. */
  readonly hasIds: boolean;
  /** The line that says what is done with the record's document. */
  readonly action: (record: OutgoingRecord) => Uint8Array;
  readonly bounds: AttemptBounds;
}

/** One attempt to hand over records, in as many requests as it takes. */
export class BulkAttempt {
  readonly #options: BulkAttemptOptions;
  readonly #body: BulkBody;
  readonly #refused: Refused[] = [];
  readonly #messages = new KeptMessages(MESSAGE_CHARACTERS_MAX);
  #arrived = 0;
  #sentBytes = 0;
  #seenBytes = 0;
  /** Why nothing more is sent: the rest shares the fate of the request that failed. */
  #ended: DeliveryError | undefined;

  constructor(options: BulkAttemptOptions) {
    this.#options = options;
    this.#body = new BulkBody(options.bounds);
  }

  /** Takes records, and sends what is full. Rejects with DeliveryError where nothing is known of any record. */
  async take(records: readonly OutgoingRecord[]): Promise<void> {
    for (const record of records) {
      if (this.#ended === undefined) await this.#takeOne(record);
      else this.#refuse(record.index, this.#ended);
    }
  }

  /** Sends what is left. */
  async finish(): Promise<Pick<Delivered, 'sizeBytes' | 'refused'>> {
    await this.#send();
    // A bulk tells of its documents later than the records between them that are none.
    const refused = this.#refused.sort((one, other) => one.index - other.index);
    return { sizeBytes: this.#sentBytes, refused };
  }

  async #takeOne(record: OutgoingRecord): Promise<void> {
    await this.#turn(record.data.length);
    const document = oneLineObject(record.data);
    if (document === undefined) {
      this.#refused.push({ index: record.index, ...noDocument(this.#options.naming), retryable: false });
      return;
    }
    const action = this.#options.action(record);
    if (!this.#body.fits(action, document)) await this.#send();
    if (this.#ended === undefined) this.#body.add(record.index, action, document);
    else this.#refuse(record.index, this.#ended);
  }

  async #turn(bytes: number): Promise<void> {
    this.#seenBytes += bytes;
    if (this.#seenBytes < TURN_BYTES) return;
    this.#seenBytes = 0;
    await nextTurn(this.#options.environment.clock);
  }

  async #send(): Promise<void> {
    if (this.#body.count > 0) await this.#sendPart(0, this.#body.count);
    this.#body.clear();
  }

  /** Documents `from` up to but without `to`, in halves where they are too many for whoever takes them. */
  async #sendPart(from: number, to: number): Promise<void> {
    if (this.#ended !== undefined) return this.#refuseAll(from, to, this.#ended);
    try {
      const verdicts = await this.#ask(from, to);
      for (const [at, verdict] of verdicts.entries()) this.#settle(from + at, verdict);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      if (to - from > 1 && this.#isTooLarge(error)) {
        const middle = from + Math.floor((to - from) / 2);
        await this.#sendPart(from, middle);
        await this.#sendPart(middle, to);
        return;
      }
      this.#fail(from, to, error);
    }
  }

  async #ask(from: number, to: number): Promise<readonly Verdict[]> {
    const { cluster, naming, signal, hasIds, bounds } = this.#options;
    const body = this.#body.bytes(from, to);
    const request = { method: 'POST', path: `/_bulk?${FILTER}`, body, answerBytesMax: bounds.answerBytesMax } as const;
    const { status, body: answer } = await cluster.ask(request, signal);
    const clean = (text: string): string => cluster.withoutSecrets(text);
    if (status !== 200) throw statusFailure(cluster.url, status, answer, clean);
    const verdicts = bulkVerdicts(answer, { count: to - from, hasIds, clean });
    if (verdicts === undefined) {
      throw failure(
        naming,
        'InvalidResponse',
        `${cluster.url} gave no answer to a bulk request of ${to - from} documents`,
      );
    }
    this.#sentBytes += body.length;
    return verdicts;
  }

  #isTooLarge({ code }: DeliveryError): boolean {
    return code === String(TOO_LARGE) || code === `${this.#options.naming.codes}.ResponseTooLarge`;
  }

  #settle(document: number, verdict: Verdict): void {
    if (verdict === 'arrived') {
      this.#arrived += 1;
      return;
    }
    const message = this.#messages.of(verdict.code, verdict.message);
    this.#refused.push({ index: this.#body.recordIndex(document), ...verdict, message });
  }

  /** What may pass ends the attempt; what is about these documents alone does not. */
  #fail(from: number, to: number, error: DeliveryError): void {
    if (error.retryable) {
      if (this.#arrived === 0 && this.#refused.length === 0) throw error;
      // What is not sent any more has not arrived.
      this.#ended = new DeliveryError(error.code, error.message, true);
    }
    this.#refuseAll(from, to, error);
  }

  #refuseAll(from: number, to: number, error: DeliveryError): void {
    for (let document = from; document < to; document += 1) this.#refuse(this.#body.recordIndex(document), error);
  }

  #refuse(index: number, { code, message, retryable, cause }: DeliveryError): void {
    const mayHaveArrived = isUnanswered(cause) && { mayHaveArrived: true as const };
    this.#refused.push({ index, code, message, retryable, ...mayHaveArrived });
  }
}
