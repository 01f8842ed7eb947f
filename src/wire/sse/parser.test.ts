import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SseParser } from './parser.ts';

/** What a stream gives: events as `type|id|data`, and where it is left. */
interface Read {
  readonly events: readonly string[];
  readonly lastEventId: string;
  readonly retryMs: number | undefined;
  readonly tooLarge: number;
}

function read(pieces: readonly Uint8Array[], eventBytesMax = 1000, lastEventId = ''): Read {
  const parser = new SseParser({ eventBytesMax, lastEventId });
  const events: string[] = [];
  let tooLarge = 0;
  for (const piece of pieces) {
    const chunk = parser.push(piece);
    tooLarge += chunk.tooLarge;
    // Looked at in the end: slices must not change with later pieces.
    for (const { type, id = '-', data } of chunk.events) events.push(`${type}|${id}|${Buffer.from(data).toString()}`);
  }
  return { events, lastEventId: parser.lastEventId, retryMs: parser.retryMs, tooLarge };
}

/** The text at once, byte by byte, and cut in the middle of everything. */
function ways(text: string | Uint8Array): readonly (readonly Uint8Array[])[] {
  const bytes = Buffer.from(text as string);
  const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  const halves = single.map((_, index) => [bytes.subarray(0, index), bytes.subarray(index)]);
  return [[bytes], single, ...halves];
}

const ROWS: readonly (readonly [text: string, events: readonly string[], lastEventId?: string, retryMs?: number])[] = [
  ['', []],
  ['data: a\n\n', ['message|-|a']],
  ['data: a\r\r', ['message|-|a']],
  ['data: a\r\n\r\n', ['message|-|a']],
  ['data: a\r\n\n', ['message|-|a']],
  ['data: a\n\r\ndata: b\r\n\r', ['message|-|a', 'message|-|b']],
  ['data: a\n\n\n\ndata: b\n\n', ['message|-|a', 'message|-|b']],
  ['data:a\ndata: b\ndata:  c\n\n', ['message|-|a\nb\n c']],
  ['data\n\n', ['message|-|']],
  ['data:\n\n', ['message|-|']],
  ['data\ndata\n\n', ['message|-|\n']],
  ['data:a:b: c\n\n', ['message|-|a:b: c']],
  ['data: unfinished', []],
  ['data: unfinished\n', []],
  ['data: a\n\nid: 7\ndata: unfinished\n', ['message|-|a'], ''],
  [': a comment\n\n:\n\ndata: a\n:x\n\n', ['message|-|a']],
  ['event: note\ndata: a\n\ndata: b\n\n', ['note|-|a', 'message|-|b']],
  ['event: lost\n\ndata: a\n\n', ['message|-|a']],
  ['event: a\nevent: b\ndata\n\n', ['b|-|']],
  ['event:\ndata: a\n\n', ['message|-|a']],
  ['Data: a\nDATA: b\n data: c\ndat: d\ndatas: e\nfoo\n\n', []],
  ['data : a\n\n', []],
  ['id: 7\ndata: a\n\ndata: b\n\n', ['message|7|a', 'message|-|b'], '7'],
  ['id: 7\n\n', [], '7'],
  ['id: 7\n\nid\ndata: a\n\n', ['message||a'], ''],
  ['id: 7\n\nid: x\0y\ndata: a\n\n', ['message|-|a'], '7'],
  ['id: 7\nid: 8\ndata: a\n\n', ['message|8|a'], '8'],
  [
    'id: \u00fc\u4f60\ud83c\udf0d\ndata: \u00fc\u4f60\ud83c\udf0d\n\n',
    ['message|\u00fc\u4f60\ud83c\udf0d|\u00fc\u4f60\ud83c\udf0d'],
    '\u00fc\u4f60\ud83c\udf0d',
  ],
  ['id:  7 \ndata\n\n', ['message| 7 |'], ' 7 '],
  ['retry: 250\n\n', [], '', 250],
  ['retry: 250\nretry: -1\nretry: 1.5\nretry: 2s\nretry:\nretry: \u0661\n', [], '', 250],
  ['\ufeffdata: a\n\n', ['message|-|a']],
  ['\ufeff\ufeffdata: a\n\n', []],
  ['data: a\n\n\ufeffdata: b\n\n', ['message|-|a']],
  ['data: a\0b\n\n', ['message|-|a\0b']],
  ['data: [1,\ndata: 2]\nid: 1\nevent: x\n\n', ['x|1|[1,\n2]'], '1'],
];

test('a stream gives what the standard says, however its bytes are cut', () => {
  for (const [text, events, lastEventId = '', retryMs] of ROWS) {
    for (const pieces of ways(text)) {
      assert.deepEqual(read(pieces), { events, lastEventId, retryMs, tooLarge: 0 }, JSON.stringify(text));
    }
  }
});

test('what looks like the start of a byte order mark is data', () => {
  const bytes = Buffer.concat([Buffer.from([0xef, 0xbb]), Buffer.from(': x\ndata: a\n\n')]);
  for (const pieces of ways(bytes)) assert.deepEqual(read(pieces).events, ['message|-|a']);
  const mark = Buffer.from('\ufeff');
  assert.deepEqual(read([mark.subarray(0, 1), Buffer.alloc(0), mark.subarray(1), Buffer.from('data\n\n')]).events, [
    'message|-|',
  ]);
});

test('an event is there with the byte that ends its blank line', () => {
  const parser = new SseParser({ eventBytesMax: 100 });
  assert.equal(parser.push(Buffer.from('data: a\r')).events.length, 0);
  assert.equal(parser.push(Buffer.from('\r')).events.length, 1);
  assert.equal(parser.push(Buffer.from('\ndata: b\n')).events.length, 0);
  assert.equal(parser.push(Buffer.from('\n')).events.length, 1);
});

test('bytes that are no UTF-8 stay as they are in data', () => {
  const bytes = Buffer.concat([Buffer.from('data: '), Buffer.from([0xff, 0xc3]), Buffer.from('\n\n')]);
  const [event] = new SseParser({ eventBytesMax: 100 }).push(bytes).events;
  assert.deepEqual([...(event?.data ?? [])], [0xff, 0xc3]);
});

test('the id of an earlier connection stands until another one comes', () => {
  assert.equal(read([Buffer.from('data: a\n\n')], 100, '41').lastEventId, '41');
  assert.equal(read([Buffer.from('id: 42\n\n')], 100, '41').lastEventId, '42');
  assert.equal(read([Buffer.from('id: 42\ndata: a\n')], 100, '41').lastEventId, '41');
});

test('an event that is too large is left out and counted, its id and what follows are taken', () => {
  const big = 'x'.repeat(11);
  const rows: readonly (readonly [text: string, events: readonly string[], tooLarge: number, lastEventId: string])[] = [
    [`data: ${'x'.repeat(10)}\n\n`, [`message|-|${'x'.repeat(10)}`], 0, ''],
    [`data: ${big}\n\ndata: a\n\n`, ['message|-|a'], 1, ''],
    [`data: xxxxx\ndata: xxxxx\n\ndata: a\n\n`, ['message|-|a'], 1, ''],
    [`id: 1\ndata: ${big}\n\ndata: a\n\n`, ['message|-|a'], 1, '1'],
    [`data: ${big.repeat(9)}\nid: 2\n\ndata: a\n\n`, ['message|-|a'], 1, '2'],
    [`event: ${big}\ndata: a\n\ndata: b\n\n`, ['message|-|b'], 1, ''],
    [`:${big.repeat(9)}\ndata: a\n\n`, ['message|-|a'], 0, ''],
    [`unknown: ${big.repeat(9)}\ndata: a\n\n`, ['message|-|a'], 0, ''],
  ];
  for (const [text, events, tooLarge, lastEventId] of rows) {
    for (const pieces of ways(text)) {
      assert.deepEqual(read(pieces, 10), { events, tooLarge, lastEventId, retryMs: undefined }, text);
    }
  }
});

test('an endless line takes no more memory than an event may', () => {
  const parser = new SseParser({ eventBytesMax: 1000 });
  const before = process.memoryUsage().arrayBuffers;
  const piece = Buffer.alloc(64 * 1024, 'x');
  parser.push(Buffer.from('data: '));
  for (let index = 0; index < 200; index += 1) parser.push(piece);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
  assert.deepEqual(parser.push(Buffer.from('\n\ndata: a\n\n')).events.length, 1);
});

const field = fc.constantFrom('data', 'id', 'event', 'retry', '', 'x', 'dat');
const value = fc.string({ unit: fc.constantFrom('a', ' ', ':', '\0', '\u00e9', '7', '\ufeff'), maxLength: 4 });
const line = fc.oneof(
  fc.tuple(field, value).map(([name, text]) => `${name}:${text}`),
  field,
  fc.constant(''),
);
const end = fc.constantFrom('\n', '\r', '\r\n');
const stream = fc
  .array(
    fc.tuple(line, end).map((parts) => parts.join('')),
    { maxLength: 30 },
  )
  .map((all) => all.join(''));

/** The standard's words, on the whole text at once. */
function plain(text: string): readonly string[] {
  const events: string[] = [];
  let [data, type, own] = ['', '', '-'];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  for (const one of lines.slice(0, -1)) {
    if (one === '') {
      if (data !== '') events.push(`${type === '' ? 'message' : type}|${own}|${data.slice(0, -1)}`);
      [data, type, own] = ['', '', '-'];
      continue;
    }
    const colon = one.indexOf(':');
    const name = colon === -1 ? one : one.slice(0, colon);
    const rest = colon === -1 ? '' : one.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data += `${rest}\n`;
    else if (name === 'event') type = rest;
    else if (name === 'id' && !rest.includes('\0')) own = rest;
  }
  return events;
}

test('any stream, cut anywhere, gives what a plain reading of the standard gives', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200), { maxLength: 5 }), (text, cuts) => {
      const bytes = Buffer.from(text);
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
      assert.deepEqual(read(pieces).events, plain(text));
    }),
    { numRuns: 2000 },
  );
});
