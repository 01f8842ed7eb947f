import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cborOf } from '../../testing/cbor-of.ts';
import { cborCodec } from '../../wire/aws-cbor/codec.ts';
import { BREAK, BYTES, INDEFINITE, LIST, MAP, TEXT } from '../../wire/aws-cbor/head.ts';
import { cborPutScan } from './cbor-put-scan.ts';
import { BODIES, compareAll, comparison, Maker } from './put-scan.fixture.ts';

const compare = comparison(cborCodec);
const Data = Buffer.from('a');
const record = { Data, PartitionKey: 'k' };

/** Bytes as hex digits and, in between, texts as they are. */
function bytes(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));
}

function name(text: string): Uint8Array {
  return cborOf(text);
}

test('plain bodies are scanned, whatever their order and the width of their heads', () => {
  const key = 'k'.repeat(256);
  const many: readonly (object | Uint8Array)[] = [
    { Records: [record], StreamName: 's' },
    { StreamName: 's.-_9', Records: [{ PartitionKey: '\0~\x7f', Data: Buffer.alloc(0), ExplicitHashKey: '0' }, record] },
    { StreamName: 's'.repeat(128), Records: Array.from({ length: 500 }, () => ({ Data, PartitionKey: key })) },
    { StreamName: 's', Records: [{ Data: Buffer.alloc(70_000, 'x'), PartitionKey: 'k' }] },
    // As the Java SDK writes it.
    bytes(['bf', name('Records'), '9fbf', name('Data'), '4161', name('PartitionKey'), '616bffff', name('StreamName'), '6173ff']),
    bytes([
      'b802', name('Records'), '9a00000001', 'b90002', name('Data'), '5a0000000161', name('PartitionKey'), '7900016b',
      name('StreamName'), '780173',
    ]),
  ]; // prettier-ignore
  for (const body of many) {
    assert.equal(compare.many(body instanceof Uint8Array ? body : cborOf(body)), 'scanned');
  }
  const ExplicitHashKey = '340282366920938463463374607431768211455';
  assert.equal(compare.one(cborOf({ StreamName: 's', Data, PartitionKey: 'k', ExplicitHashKey })), 'scanned');
});

test('everything unusual is left to the full parse', () => {
  const streamName = [name('StreamName'), '6173'];
  const dataAndKey = [name('Data'), '4161', name('PartitionKey'), '616b'];
  const records = [name('Records'), '81a2', ...dataAndKey];
  const withKey = (key: string): (string | Uint8Array)[] => [
    'a2', name('Records'), '81a2', name('Data'), '4161', name('PartitionKey'), key, ...streamName,
  ]; // prettier-ignore
  const bodies: readonly (object | (string | Uint8Array)[])[] = [
    [''],
    ['a0'],
    ['80'],
    ['bf'],
    ['bfff'],
    { Records: [], StreamName: 's' },
    { Records: [record] },
    { Records: [record], StreamName: 's', StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/s' },
    { Records: [record], StreamName: 's', Other: 1 },
    { Records: [record], StreamName: 'ü' },
    { Records: [record], StreamName: '' },
    { Records: [record], StreamName: 's'.repeat(129) },
    { Records: [{ Data, PartitionKey: 'ü' }], StreamName: 's' },
    { Records: [{ Data, PartitionKey: '' }], StreamName: 's' },
    { Records: [{ Data, PartitionKey: 'k'.repeat(257) }], StreamName: 's' },
    { Records: [{ Data }], StreamName: 's' },
    { Records: [{ PartitionKey: 'k' }], StreamName: 's' },
    { Records: [{ Data: 'YQ==', PartitionKey: 'k' }], StreamName: 's' },
    { Records: [{ Data: null, PartitionKey: 'k' }], StreamName: 's' },
    { Records: [{ ...record, ExplicitHashKey: '01' }], StreamName: 's' },
    { Records: [{ ...record, ExplicitHashKey: null }], StreamName: 's' },
    { Records: [{ ...record, ExplicitHashKey: '' }], StreamName: 's' },
    { Records: [{ ...record, ExplicitHashKey: '1x' }], StreamName: 's' },
    { Records: [{ ...record, ExplicitHashKey: `1${'0'.repeat(39)}` }], StreamName: 's' },
    { Records: [{ ...record, StreamName: 's' }], StreamName: 's' },
    { Records: Array.from({ length: 501 }, () => record), StreamName: 's' },
    { Records: [{ Data: Buffer.alloc(10 * 1024 * 1024 + 1), PartitionKey: 'k' }], StreamName: 's' },
    ['a2', ...records, ...streamName, '00'],
    ['a3', ...records, ...streamName],
    ['a1', ...records, ...streamName],
    ['bf', ...records, ...streamName],
    ['a3', ...records, ...streamName, ...streamName],
    ['a3', ...records, ...records, ...streamName],
    ['d9d9f7a2', ...records, ...streamName],
    ['a2', name('Records'), '82a2', ...dataAndKey, ...streamName],
    ['a2', name('Records'), '9fa2', ...dataAndKey, ...streamName],
    ['a2', name('Records'), '81a3', ...dataAndKey, ...streamName],
    ['a2', name('Records'), '81a3', ...dataAndKey, ...dataAndKey.slice(2), ...streamName],
    ['a2', name('Records'), '81a3', ...dataAndKey, ...dataAndKey.slice(0, 2), ...streamName],
    ['a2', ...records, '780a', Buffer.from('StreamName'), '6173'],
    withKey('7f616bff'),
    withKey('7b00000000000000016b'),
    withKey('61ff'),
    withKey('c1616b'),
    withKey('7a7fffffff6b'),
    withKey('7901006b'),
    ['a2', name('Records'), '81a2', name('Data'), '5f4161ff', name('PartitionKey'), '616b', ...streamName],
  ];
  for (const [index, body] of bodies.entries()) {
    const whole = Array.isArray(body) ? bytes(body as (string | Uint8Array)[]) : cborOf(body);
    assert.equal(compare.many(whole), 'left', String(index));
  }
  const whole = cborOf({ Records: [{ ...record, ExplicitHashKey: '7' }], StreamName: 's' });
  for (let length = 0; length < whole.length; length += 1)
    assert.equal(compare.many(whole.subarray(0, length)), 'left');
  const json = Buffer.from('{"Records":[{"Data":"YQ==","PartitionKey":"k"}],"StreamName":"s"}');
  assert.equal(compare.many(json), 'left');
});

test('a batch stays as it is while others are scanned, and its data may be read in pieces', () => {
  const body = (text: string): Uint8Array => {
    const one = { Data: Buffer.from(text), PartitionKey: text.slice(0, 1) };
    return cborOf({ StreamName: 's', Records: [one, one] });
  };
  const first = cborPutScan.many(body('abcdefghijk'))?.batch;
  const second = cborPutScan.many(body('lmno'))?.batch;
  assert.ok(first !== undefined && second !== undefined);
  const into = Buffer.alloc(40);
  for (const [from, to] of [[0, 3], [3, 9], [9, 11]] as const) {
    assert.ok(first.writeData(1, into, from, from, to));
  } // prettier-ignore
  assert.equal(into.toString('latin1', 0, 12), 'abcdefghijk\0');
  assert.deepEqual([first.dataBytes(0), second.dataBytes(0)], [11, 4]);
});

/** CBOR that is mostly as clients write it. */
class CborMaker extends Maker {
  /** A head, sometimes wider than needed, rarely with another number. */
  head(kind: number, number: number): Buffer {
    const value = this.below(60) > 0 ? number : this.below(40);
    const size = value < 24 && this.below(8) > 0 ? 0 : this.pick(value < 256 ? [1, 1, 2, 4, 8] : [2, 4, 8]);
    if (size === 0) return Buffer.from([kind | value]);
    const head = Buffer.alloc(1 + size);
    head[0] = kind | { 1: 24, 2: 25, 4: 26, 8: 27 }[size as 1];
    head.writeUIntBE(value, 1 + Math.max(0, size - 6), Math.min(size, 6));
    return head;
  }

  string(kind: number, content: Buffer): Buffer {
    if (this.below(40) > 0) return Buffer.concat([this.head(kind, content.length), content]);
    const at = this.below(content.length + 1);
    const pieces = [content.subarray(0, at), content.subarray(at)];
    const joined = pieces.flatMap((piece) => [this.head(kind, piece.length), piece]);
    return Buffer.concat([Buffer.from([kind | INDEFINITE]), ...joined, Buffer.from([BREAK])]);
  }

  text(text: string): Buffer {
    return this.string(TEXT, Buffer.from(text));
  }

  items(kind: number, items: readonly Buffer[]): Buffer {
    if (this.below(2) === 0) return Buffer.concat([this.head(kind, items.length), ...items]);
    return Buffer.concat([Buffer.from([kind | INDEFINITE]), ...items, Buffer.from(this.below(40) > 0 ? [BREAK] : [])]);
  }

  /** The value, or something that clients rarely send in its place. */
  value(usual: Buffer): Buffer {
    if (this.below(25) > 0) return usual;
    const odd = ['f6', 'f7', '01', '80', 'a0', 'f5', '61', '40', '60', 'c1', 'ff', ''];
    return Buffer.concat([Buffer.from(this.pick(odd), 'hex'), this.below(2) === 0 ? usual : Buffer.alloc(0)]);
  }

  key(): string {
    if (this.below(4) > 0) return this.pick(['k', 'key 1', '~', '\0\x7f']);
    return Array.from({ length: this.below(3) }, () => this.pick(['a', 'ü', '😀', '', 'k'.repeat(130)])).join('');
  }

  data(): Buffer {
    return Buffer.from(Array.from({ length: this.below(8) === 0 ? 300 : this.below(20) }, () => this.below(256)));
  }

  map(members: (readonly [string, Buffer])[]): Buffer {
    if (this.below(25) === 0) {
      const more = ['Data', 'PartitionKey', 'StreamName', 'Records', 'x', '__proto__'];
      members.push([this.pick(more), this.value(this.pick([this.text('t'), this.string(BYTES, this.data())]))]);
    }
    if (this.below(3) === 0) members.reverse();
    const name = (text: string): Buffer =>
      this.below(60) > 0 ? Buffer.from(cborOf(text)) : this.value(this.text(text));
    return this.items(MAP, members.map(([text, value]) => Buffer.concat([name(text), value]))); // prettier-ignore
  }

  members(): (readonly [string, Buffer])[] {
    const members: (readonly [string, Buffer])[] = [
      ['Data', this.value(this.string(BYTES, this.data()))],
      ['PartitionKey', this.value(this.text(this.key()))],
    ];
    if (this.below(4) === 0) {
      const hashKey = this.pick(['0', '7', '01', '-1', '1e3', '', '9'.repeat(39), '1'.repeat(40)]);
      members.push(['ExplicitHashKey', this.value(this.text(hashKey))]);
    }
    return members;
  }

  batch(): Buffer {
    const records = Array.from({ length: this.below(4) }, () => this.map(this.members()));
    return this.map([
      ['Records', this.value(this.items(LIST, records))],
      ['StreamName', this.value(this.text(this.pick(['s', 's.t', 'a-_.9', 's', 'ü', ''])))],
    ]);
  }

  single(): Buffer {
    return this.map([...this.members(), ['StreamName', this.value(this.text('s'))]]);
  }
}

test(`the scanner and the full parse agree on ${BODIES} made-up bodies in CBOR`, () => {
  const maker = new CborMaker(20_260_131);
  compareAll(compare, (kind) => maker.damaged(kind === 'many' ? maker.batch() : maker.single()));
});
