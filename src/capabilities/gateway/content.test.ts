import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { simulatedCompute } from '../../environments/simulated/compute.ts';
import type { Room } from '../../ports/environment.ts';
import { parseJsonPath } from '../../kernel/json-path.ts';
import { Content, contentEncodings, inflated } from './content.ts';

const FORM = 'application/x-www-form-urlencoded';
/** Counts what is held. */
class CountedRoom implements Room {
  held = 0;
  most = 0;

  async hold(bytes: number): Promise<void> {
    this.held += bytes;
    this.most = Math.max(this.most, this.held);
  }

  giveBack(bytes: number): void {
    this.held -= bytes;
  }
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

test('encodings are undone in their order, and never beyond the bound', async () => {
  const plain = Buffer.from('x'.repeat(1000));
  const table: readonly (readonly [string, Uint8Array])[] = [
    ['', plain],
    ['identity', plain],
    ['gzip', gzipSync(plain)],
    ['X-GZIP', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['deflate, gzip', gzipSync(deflateSync(plain))],
  ];
  for (const [header, body] of table) {
    const encodings = contentEncodings({ 'content-encoding': header });
    assert.ok(encodings !== undefined);
    const room = new CountedRoom();
    assert.deepEqual(Buffer.from(await inflated(simulatedCompute, body, encodings, 1000, room)), plain, header);
    assert.equal(room.held, encodings.length > 0 ? plain.length : 0, 'what came out is held, and nothing else');
    if (encodings.length > 0) {
      const within = inflated(simulatedCompute, body, encodings, 999, room);
      await assert.rejects(within, { code: 'RequestEntityTooLarge' }, header);
    }
  }
  for (const header of ['zstd', 'gzip, zstd', 'gzip, gzip, gzip', 'toString']) {
    assert.equal(contentEncodings({ 'content-encoding': header }), undefined, header);
  }
});

test('bombs end at the bound, and bytes that are not what they say are refused', async () => {
  const bomb = gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
  const within = inflated(simulatedCompute, bomb, ['gzip', 'gzip'], 1024 * 1024, new CountedRoom());
  await assert.rejects(within, { code: 'RequestEntityTooLarge' });
  const whole = gzipSync(Buffer.from('{}'));
  for (let length = 0; length < whole.length; length += 1) {
    const cut = inflated(simulatedCompute, whole.subarray(0, length), ['gzip'], 100, new CountedRoom());
    await assert.rejects(cut, { code: 'InvalidBody' }, `${length} bytes`);
  }
});

test('what a body says as JSON, and the bytes of it', () => {
  const table: readonly (readonly [type: string, body: string, json: unknown, bytes: string | undefined])[] = [
    ['application/json', ' {"a":1}', { a: 1 }, ' {"a":1}'],
    ['application/cloudevents+json', '[1]', [1], '[1]'],
    ['application/json', '{', undefined, undefined],
    ['application/json', '', undefined, undefined],
    [FORM, 'payload=%7B%22a%22%3A%20%22%2B%22%7D', { a: '+' }, '{"a": "+"}'],
    [FORM, 'a=1&b=2&a=3', { a: ['1', '3'], b: '2' }, '{"a":["1","3"],"b":"2"}'],
    [FORM, 'payload=x', { payload: 'x' }, '{"payload":"x"}'],
    [FORM, '__proto__=1', JSON.parse('{"__proto__":"1"}'), '{"__proto__":"1"}'],
  ];
  for (const [type, body, json, bytes] of table) {
    const content = new Content(Buffer.from(body), type);
    assert.deepEqual(content.json, json, body);
    assert.equal(text(content.jsonBytes), bytes, body);
  }
  assert.equal(new Content(Buffer.from('{}'), 'text/plain').isReadable, false);
});

test('a form of many fields costs little, one of too many is refused', () => {
  const form = (fields: number): Content => new Content(Buffer.from(Array(fields).fill('a=1').join('&')), FORM);
  assert.deepEqual(form(10_000).json, { a: Array(10_000).fill('1') });
  for (const fields of [10_001, 1_000_000]) {
    assert.throws(() => form(fields).json, { code: 'InvalidBody' }, String(fields));
    assert.throws(() => form(fields).jsonBytes, { code: 'InvalidBody' }, String(fields));
  }
});

test('paths into a value', () => {
  const content = new Content(
    Buffer.from('{"a":{"b":[{"c":"x"},7,"",null]},"d e":1,"n":9007199254740993,"t":true}'),
    'application/json',
  );
  const table: readonly (readonly [path: string, found: string | undefined])[] = [
    ['a.b[0].c', 'x'],
    ['$.a.b.0.c', 'x'],
    ['a.b[1]', '7'],
    ['d e', '1'],
    ['n', '9007199254740993'],
    ['t', undefined],
    ['a.b[2]', undefined],
    ['a.b[3]', undefined],
    ['a.b', undefined],
    ['a.toString', undefined],
    ['a.b.length', undefined],
  ];
  for (const [path, found] of table) assert.equal(content.text(path), found, path);
  const form = new Content(Buffer.from(`payload=${encodeURIComponent('{"n":9007199254740993}')}`), FORM);
  assert.equal(form.text('n'), '9007199254740993');
  assert.equal(new Content(Buffer.from('{"a":"x"'), 'application/json').text('a'), undefined);
  for (const path of ['', '$', '.', 'a..b', 'a[b]', 'a[', '[0']) assert.equal(parseJsonPath(path), undefined, path);
});
