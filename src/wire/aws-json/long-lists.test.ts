import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as s from '../../kernel/schema/declare.ts';
import { textOf } from '../../testing/text-of.ts';
import { cborCodec } from '../aws-cbor/codec.ts';
import { jsonCodec, type AwsCodec } from './codec.ts';
import { holdsLongList } from './long-lists.ts';

const ITEM = s.struct({ Id: s.string(), At: s.optional(s.timestamp()), Inner: s.optional(s.list(s.integer())) });
const LIST = s.list(ITEM);
const NESTED = s.struct({
  Before: s.optional(s.string()),
  Outer: s.struct({ Items: LIST, More: s.boolean() }),
  After: s.optional(LIST),
});

function items(count: number) {
  return Array.from({ length: count }, (_, index) => ({ Id: `${index} ü"`, At: index, Inner: [index], Unknown: 1 }));
}

function whole(codec: AwsCodec, schema: s.Schema, value: unknown): Buffer {
  const body = codec.value(schema, value);
  return typeof body === 'string' ? Buffer.from(body) : Buffer.concat(body instanceof Uint8Array ? [body] : body);
}

const codecs = [jsonCodec('application/x-amz-json-1.1'), cborCodec];

test('pieces together are what is written at once', () => {
  for (const codec of codecs) {
    for (const count of [0, 1, 100, 101, 200, 1001]) {
      const nested = { Outer: { Items: items(count), More: false }, After: items(3), Unknown: 1, Before: undefined };
      assert.deepEqual(Buffer.concat([...codec.pieces(LIST, items(count))]), whole(codec, LIST, items(count)));
      assert.deepEqual(Buffer.concat([...codec.pieces(NESTED, nested)]), whole(codec, NESTED, nested));
    }
  }
});

test('no piece holds more than 100 items of a list', () => {
  for (const codec of codecs) {
    const value = { Outer: { Items: items(1001), More: true } };
    const pieces = [...codec.pieces(NESTED, value)].map((piece) => textOf(piece).split(' ü').length - 1);
    assert.ok(Math.max(...pieces) <= 100);
    assert.ok(pieces.filter((count) => count > 0).length === 11);
  }
});

test('only what holds a long list is written in pieces', () => {
  const table: readonly (readonly [s.Schema, unknown, boolean])[] = [
    [LIST, items(100), false],
    [LIST, items(101), true],
    [NESTED, { Outer: { Items: items(100), More: true } }, false],
    [NESTED, { Outer: { Items: items(101), More: true } }, true],
    [NESTED, { Outer: { Items: [], More: true }, After: items(101) }, true],
    [ITEM, { Id: 'a' }, false],
  ];
  for (const [schema, value, isLong] of table) assert.equal(holdsLongList(schema, value), isLong);
});
