import assert from 'node:assert/strict';
import { compileAwsCheck } from '../../kernel/schema/check-aws.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import { HASH_KEY_END, hashKeyRouter, splitHashKeys } from '../../kernel/stream/hash-key.ts';
import { RequestError } from '../../kernel/errors.ts';
import type { RecordBatch } from '../../ports/records.ts';
import type { AwsCodec } from '../../wire/aws-json/codec.ts';
import { formOf } from './form.ts';
import { putBatch, type PutEntry } from './incoming.ts';
import { putRecord } from './operations/put-record.ts';
import { putRecords } from './operations/put-records.ts';

/** `SCANNER_BODIES`: how many bodies are made up and compared. */
export const BODIES = Number(process.env['SCANNER_BODIES'] ?? 100_000);

const router = hashKeyRouter(splitHashKeys(7).map(({ start }) => start));

interface FullInput extends PutEntry {
  readonly StreamName?: string;
  readonly Records?: readonly PutEntry[];
}

type Compared = 'scanned' | 'left';

/** Scans bodies of one form and compares with what a full parse and check make of them. */
export interface Comparison {
  /** Of PutRecord; fails where both differ. */
  readonly one: (body: Uint8Array) => Compared;
  /** Of PutRecords. */
  readonly many: (body: Uint8Array) => Compared;
}

/** Compares in the form of the codec. */
export function comparison(codec: AwsCodec): Comparison {
  const compare = (kind: 'one' | 'many', input: Schema): ((body: Uint8Array) => Compared) => {
    const { scan } = formOf(codec);
    const check = compileAwsCheck<Schema>(input, codec.form);
    return (body) => {
      const scanned = scan[kind](body);
      const seen = scanned === undefined ? undefined : told(scanned.batch);
      if (scanned === undefined || seen === undefined) return 'left';
      const full = fully(codec, check, body);
      const text = Buffer.from(body).toString('latin1');
      assert.ok(full !== undefined, `a full parse refuses ${text}`);
      assert.equal(scanned.StreamName, full.stream);
      assert.deepEqual(seen, told(full.batch), text);
      return 'scanned';
    };
  };
  return { one: compare('one', putRecord.input), many: compare('many', putRecords.input) };
}

/** Undefined when the full parse refuses the body. */
function fully(
  codec: AwsCodec,
  check: (value: unknown, bodyBytes: number) => unknown,
  body: Uint8Array,
): { readonly stream: unknown; readonly batch: RecordBatch } | undefined {
  try {
    const input = check(codec.parse(body), body.length) as FullInput;
    return { stream: input.StreamName, batch: putBatch(input.Records ?? [input]) };
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

/** All that a batch says, entries byte by byte; undefined when a record turns out to be malformed. */
function told(batch: RecordBatch): readonly unknown[] | undefined {
  const all: unknown[] = [];
  for (let index = 0; index < batch.count; index += 1) {
    const bytes = batch.entryBytes(index);
    const into = Buffer.alloc(bytes + 2, 0x5a);
    const at = batch.writeFront(index, into, 1);
    if (!batch.writeData(index, into, at, 0, batch.dataBytes(index))) return undefined;
    assert.equal(at + batch.dataBytes(index), bytes + 1, 'the data is the end of the entry');
    const hashKey = batch.explicitHashKey(index);
    const range = hashKey !== undefined && hashKey >= HASH_KEY_END ? 'none' : batch.route(index, router);
    all.push([into.toString('hex'), hashKey, range]);
  }
  return all;
}

/** A small generator of our own: a property library would take minutes for as many bodies. */
export class Maker {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * bound);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** The bytes, now and then with one of them changed, lost or doubled. */
  damaged(bytes: Buffer): Uint8Array {
    if (this.below(3) > 0 || bytes.length === 0) return bytes;
    const at = this.below(bytes.length);
    const kind = this.below(3);
    if (kind === 0) bytes[at] = this.below(256);
    const rest = kind === 1 ? bytes.subarray(at + 1) : bytes.subarray(at);
    return Buffer.concat([bytes.subarray(0, kind === 2 ? at + 1 : at), rest]);
  }
}

/** Compares as many bodies as there are to be, of both actions in turn; enough must be scanned, and enough left. */
export function compareAll({ one, many }: Comparison, make: (kind: 'one' | 'many') => Uint8Array): void {
  const counts = { scanned: 0, left: 0 };
  for (let index = 0; index < BODIES; index += 1) {
    counts[index % 2 === 0 ? many(make('many')) : one(make('one'))] += 1;
  }
  assert.ok(counts.scanned > BODIES / 20 && counts.left > BODIES / 20, JSON.stringify(counts));
}
