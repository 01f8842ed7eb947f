import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { BrokenPromise, promised } from './broken-promise.ts';
import { payload, textOf } from './payload.ts';
import type { Sent } from './sent-record.ts';
import { sequenceNumberOf, type StreamModel } from './stream-model.ts';

/** The objects of one delivery: together they hold each record of its stream at most once, whole. */
export class BucketModel {
  readonly #stream: StreamModel;
  readonly #written: (data: string) => string;
  readonly #hashes = new Map<string, string>();

  /** `written`: what is delivered of a record's data, with the same text and semicolon. */
  constructor(stream: StreamModel, written: (data: string) => string = (data) => data) {
    this.#stream = stream;
    this.#written = written;
  }

  /** Objects seen so far, whether they are still there or not. */
  get objectCount(): number {
    return this.#hashes.size;
  }

  /** Takes in all objects that stand there now, by their paths. Raises BrokenPromise. */
  holds(objects: ReadonlyMap<string, Uint8Array>): ReadonlySet<Sent> {
    const found = new Set<Sent>();
    for (const [path, bytes] of objects) {
      this.#checkSameBytes(path, bytes);
      for (const sent of this.#recordsOf(path, bytes)) {
        promised(!found.has(sent) || sent.mayMove || sent.mayRepeat, `${sent.text} was delivered twice`);
        promised(sent.fate !== 'refused', `${sent.text} was refused and delivered`);
        promised(sent.fate !== 'gone' || sent.mayRepeat, `${sent.text} was not stored and delivered`);
        found.add(sent);
        sent.isDelivered ||= !sent.mayRepeat;
      }
    }
    return found;
  }

  /** What an attempt wrote stays as it is, also where one that is repeated has fewer: their time may be over. */
  #checkSameBytes(path: string, bytes: Uint8Array): void {
    const hash = createHash('sha1').update(bytes).digest('base64');
    const before = this.#hashes.get(path);
    promised(before === undefined || before === hash, `${path} was written again with other bytes`);
    this.#hashes.set(path, hash);
  }

  #recordsOf(path: string, bytes: Uint8Array): Sent[] {
    const content = path.endsWith('.gz') ? unpacked(path, bytes) : Buffer.from(bytes);
    const parts = content.toString('latin1').split(';');
    promised(parts.pop() === '', `${path} ends inside a record`);
    const last = new Map<string, string>();
    return parts.map((part) => {
      const sent = this.#stream.get(textOf(part));
      promised(sent !== undefined, `nobody sent ${textOf(part)}, and it was delivered`);
      promised(
        `${part};` === this.#written(payload(sent.text, sent.bytes)),
        `${sent.text} was delivered with other bytes`,
      );
      const { fate } = sent;
      if (typeof fate === 'object' && !sent.mayMove) {
        const before = last.get(fate.shardId) ?? '';
        promised(before < sequenceNumberOf(sent), `${sent.text} stands behind a later one in ${path}`);
        last.set(fate.shardId, sequenceNumberOf(sent));
      }
      return sent;
    });
  }
}

function unpacked(path: string, bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new BrokenPromise(`${path} cannot be unpacked: ${String(error)}`);
  }
}
