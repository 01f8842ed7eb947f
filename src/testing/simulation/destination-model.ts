import { promised } from './broken-promise.ts';
import { payload, textOf } from './payload.ts';
import type { Sent } from './sent-record.ts';
import type { StreamModel } from './stream-model.ts';

/** What arrived at a destination that fails, and what stands in its error output: each record in one of both. */
export class DestinationModel {
  readonly #stream: StreamModel;
  readonly #arrived = new Set<Sent>();
  readonly #failed = new Set<Sent>();
  #repeated = 0;

  constructor(stream: StreamModel) {
    this.#stream = stream;
  }

  /** Records that arrived. */
  get arrived(): number {
    return this.#arrived.size;
  }

  /** Records of which a line was seen. */
  get failed(): number {
    return this.#failed.size;
  }

  /** How often a record arrived once more. */
  get repeated(): number {
    return this.#repeated;
  }

  /** The destination took a record. Raises BrokenPromise. */
  takes(data: string): void {
    const sent = this.knows(data);
    // What may have been stored anew is another record.
    if (this.#arrived.has(sent) && !sent.mayMove && !sent.mayRepeat) this.#repeated += 1;
    this.#arrived.add(sent);
  }

  /** Takes in an object of lines: where the time of all its records ended, there is none. Raises BrokenPromise. */
  holdsLines(path: string, content: string): void {
    promised(content !== '', `${path} holds no line`);
    promised(content.endsWith('\n'), `${path} ends inside a line`);
    for (const line of content.trimEnd().split('\n')) this.#failed.add(this.knows(dataOf(path, line)));
  }

  /** Whether there is a line about it. */
  hasLine(sent: Sent): boolean {
    return this.#failed.has(sent);
  }

  /** Whether a record arrived or failed, where somebody finds it. */
  has(sent: Sent): boolean {
    return this.#arrived.has(sent) || this.#failed.has(sent);
  }

  /** The record with this data, which may be delivered. Raises BrokenPromise. */
  knows(data: string): Sent {
    const sent = this.#stream.get(textOf(data));
    promised(sent !== undefined, `nobody sent ${textOf(data)}, and a destination got it`);
    promised(data === payload(sent.text, sent.bytes), `a destination got ${sent.text} with other bytes`);
    promised(sent.fate !== 'refused', `${sent.text} was refused, and a destination got it`);
    const isStored = sent.fate !== 'gone' || sent.mayRepeat || sent.mayMove;
    promised(isStored, `${sent.text} was not stored, and a destination got it`);
    return sent;
  }
}

function dataOf(path: string, line: string): string {
  try {
    const { rawData, attemptsMade, errorCode } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    promised(typeof rawData === 'string' && typeof errorCode === 'string', `${path} has a line without its members`);
    promised(Number(attemptsMade) > 0, `${path} tells of a record that was never attempted`);
    return Buffer.from(rawData, 'base64').toString('latin1');
  } catch (error) {
    if (error instanceof SyntaxError) promised(false, `${path} has a line that is no JSON`);
    throw error;
  }
}
