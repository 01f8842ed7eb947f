import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAwsCheck } from '../../kernel/schema/check-aws.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import { HASH_KEY_END, hashKeyRouter, splitHashKeys } from '../../kernel/stream/hash-key.ts';
import { RequestError } from '../../kernel/errors.ts';
import { putRecord } from './operations/put-record.ts';
import { putRecords } from './operations/put-records.ts';
import type { RecordBatch } from '../../ports/records.ts';
import { putBatch, type PutEntry } from './incoming.ts';
import { scanPutRecord, scanPutRecords, type ScannedPut } from './put-scan.ts';

/** `SCANNER_BODIES`: how many bodies are made up and compared. */
const BODIES = Number(process.env['SCANNER_BODIES'] ?? 100_000);

type Scan = (body: Uint8Array) => ScannedPut | undefined;
type Check = (value: unknown, bodyBytes?: number) => unknown;

const checkRecords = compileAwsCheck<Schema>(putRecords.input);
const checkRecord = compileAwsCheck<Schema>(putRecord.input);
const router = hashKeyRouter(splitHashKeys(7).map(({ start }) => start));

interface FullInput extends PutEntry {
  readonly StreamName?: string;
  readonly Records?: readonly PutEntry[];
}

/** What a full parse and check make of the body; undefined when they refuse it. */
function fully(check: Check, body: Uint8Array): { readonly stream: unknown; readonly batch: RecordBatch } | undefined {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
    const input = check(value, body.length) as FullInput;
    return { stream: input.StreamName, batch: putBatch(input.Records ?? [input]) };
  } catch (error) {
    if (error instanceof RequestError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
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

function compare(scan: Scan, check: Check, body: Uint8Array): 'scanned' | 'left' {
  const scanned = scan(body);
  const seen = scanned === undefined ? undefined : told(scanned.batch);
  if (scanned === undefined || seen === undefined) return 'left';
  const full = fully(check, body);
  const text = Buffer.from(body).toString('latin1');
  assert.ok(full !== undefined, `a full parse refuses ${text}`);
  assert.equal(scanned.StreamName, full.stream);
  assert.deepEqual(seen, told(full.batch), text);
  return 'scanned';
}

test('plain bodies are scanned, whatever their order and blanks', () => {
  const bodies = [
    '{"Records":[{"Data":"YQ==","PartitionKey":"k"}],"StreamName":"s"}',
    ' {\n"StreamName" : "s.-_9" ,\t"Records":[ {"PartitionKey":"~ k","Data":"","ExplicitHashKey":"0"} , {"Data":"AAAA","PartitionKey":"1"} ] }\r\n',
  ];
  for (const body of bodies) assert.equal(compare(scanPutRecords, checkRecords, Buffer.from(body)), 'scanned');
  const one =
    '{"StreamName":"s","Data":"YWI=","PartitionKey":"k","ExplicitHashKey":"340282366920938463463374607431768211455"}';
  assert.equal(compare(scanPutRecord, checkRecord, Buffer.from(one)), 'scanned');
  const record = `{"Data":"","PartitionKey":"${'k'.repeat(256)}"}`;
  const most = `{"Records":[${Array.from({ length: 500 }, () => record).join()}],"StreamName":"s"}`;
  assert.equal(compare(scanPutRecords, checkRecords, Buffer.from(most)), 'scanned');
});

test('everything unusual is left to the full parse', () => {
  const record = '{"Data":"YQ==","PartitionKey":"k"}';
  const bodies = [
    '',
    '{}',
    '[]',
    `{"Records":[],"StreamName":"s"}`,
    `{"Records":[${record}]}`,
    `{"Records":[${record}],"StreamName":"s"}x`,
    `{"Records":[${record}],"StreamName":"s",}`,
    `{"Records":[${record},],"StreamName":"s"}`,
    `{"Records":[${record}],"StreamName":"s","StreamName":"t"}`,
    `{"Records":[${record}],"StreamName":"s","StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}`,
    `{"Records":[${record}],"StreamName":"s","Other":1}`,
    `{"Records":[${record}],"StreamName":"\\u0073"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k\\n"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"ü"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":""}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"${'k'.repeat(257)}"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YR==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"Y-==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ=","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==YQ==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AA A","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AA\\"","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AAA\\","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":null,"PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":"01"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":null}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":""}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":"1${'0'.repeat(39)}"}],"StreamName":"s"}`,
    `{"`,
    `{"Records":[{"`,
    `{"Records":[{"PartitionKey":"`,
    `{"Records":[{"PartitionKey":"k`,
    `{"Records":[{"ExplicitHashKey":"1`,
    `{"StreamName":"s`,
    `{"Records":[${Array.from({ length: 501 }, () => record).join()}],"StreamName":"s"}`,
  ];
  for (const body of bodies) {
    assert.equal(compare(scanPutRecords, checkRecords, Buffer.from(body)), 'left', body.slice(0, 100));
  }
});

test('a batch stays as it is while others are scanned, and its data may be read in pieces', () => {
  const body = (text: string): Buffer => {
    const record = `{"Data":"${Buffer.from(text).toString('base64')}","PartitionKey":"${text[0]}"}`;
    return Buffer.from(`{"StreamName":"s","Records":[${record},${record}]}`);
  };
  const first = scanPutRecords(body('abcdefghijkl'))?.batch;
  const second = scanPutRecords(body('mno'))?.batch;
  assert.ok(first !== undefined && second !== undefined);
  const into = Buffer.alloc(40);
  for (const [from, to] of [[0, 3], [3, 9], [9, 12]] as const) {
    assert.ok(first.writeData(1, into, from, from, to));
  } // prettier-ignore
  assert.equal(into.toString('latin1', 0, 12), 'abcdefghijkl');
  assert.deepEqual([first.dataBytes(0), second.dataBytes(0)], [12, 3]);
});

/** A small generator of its own: a property library would take minutes for as many bodies. */
class Maker {
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

  text(): string {
    if (this.below(4) > 0) return this.pick(['k', 'key 1', '~']);
    const parts = ['a', 'Z9', ' ', '~', '\\n', '\\u0061', '\\"', '"', 'ü', '\u0001', '😀', '\\', '', '\x7f'];
    return Array.from({ length: this.below(3) }, () => this.pick(parts)).join('') + this.pick(['k', 'key', '']);
  }

  data(): string {
    const plainText = Buffer.from(Array.from({ length: this.below(20) }, () => this.below(256))).toString('base64');
    return this.below(6) > 0 ? plainText : plainText + this.pick(['=', '-', ' ', 'A', '\\/', '\\u0041', 'é']);
  }

  value(quoted: string): string {
    return this.below(25) > 0 ? `"${quoted}"` : this.pick(['null', '1', '[]', '{}', 'true', `"${quoted}`, '""']);
  }

  record(): string {
    const members = [`"Data":${this.value(this.data())}`, `"PartitionKey":${this.value(this.text())}`];
    if (this.below(4) === 0)
      members.push(`"ExplicitHashKey":${this.value(this.pick(['0', '7', '01', '-1', '1e3', '9'.repeat(39)]))}`);
    return this.object(members);
  }

  object(members: string[]): string {
    if (this.below(25) === 0) members.push(this.pick(['"Data":"AA=="', '"x":1', '"__proto__":{}', '"StreamName":"t"']));
    if (this.below(3) === 0) members.reverse();
    const blank = this.below(20) === 0 ? '\u00a0' : this.pick(['', '', ' ', '\n\t']);
    const separator = this.below(30) === 0 ? this.pick([';', ',,', '']) : `${blank},`;
    return `{${blank}${members.join(separator)}${blank}}`;
  }

  batch(): string {
    const records = Array.from({ length: this.below(4) }, () => this.record()).join(',');
    return this.object([
      `"Records":[${records}]`,
      `"StreamName":${this.value(this.pick(['s', 's.t', 'a-_.9', 's', 'ü', '']))}`,
    ]);
  }

  single(): string {
    const inner = this.record().trim().slice(1, -1);
    return this.object([inner, `"StreamName":${this.value('s')}`]);
  }

  /** The bytes, now and then with one of them changed, lost or doubled. */
  bytes(text: string): Uint8Array {
    const bytes = Buffer.from(text);
    if (this.below(3) > 0 || bytes.length === 0) return bytes;
    const at = this.below(bytes.length);
    const kind = this.below(3);
    if (kind === 0) bytes[at] = this.below(256);
    const rest = kind === 1 ? bytes.subarray(at + 1) : bytes.subarray(at);
    return Buffer.concat([bytes.subarray(0, kind === 2 ? at + 1 : at), rest]);
  }
}

test(`the scanner and the full parse agree on ${BODIES} made-up bodies`, () => {
  const maker = new Maker(20_260_131);
  const counts = { scanned: 0, left: 0 };
  for (let index = 0; index < BODIES; index += 1) {
    const isBatch = index % 2 === 0;
    const body = maker.bytes(isBatch ? maker.batch() : maker.single());
    counts[isBatch ? compare(scanPutRecords, checkRecords, body) : compare(scanPutRecord, checkRecord, body)] += 1;
  }
  assert.ok(counts.scanned > BODIES / 20 && counts.left > BODIES / 20, JSON.stringify(counts));
});
