import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { withNode, type Answer } from './key-pairs.fixture.ts';

const SECRET = 'a secret of the test';
const SECTIONS = {
  streams: { hooks: { ShardCount: 1 } },
  gateway: { routes: { 'POST /hook': { verify: { github: { secrets: [SECRET] } }, to: 'hooks' } } },
};

function headOf(id: string, body: Uint8Array, more: readonly string[] = [`content-length: ${body.length}`]): string {
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  const lines = [
    'POST /hook HTTP/1.1', 'host: localhost', 'content-type: application/json', `x-github-delivery: ${id}`,
    `x-hub-signature-256: sha256=${signature}`, ...more,
  ]; // prettier-ignore
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Sends these pieces, one a turn, and resolves with what came back; `isCut`: ends without waiting for an answer. */
async function say(gateway: string, pieces: readonly (string | Uint8Array)[], isCut = false): Promise<string> {
  const socket = connect(Number(new URL(gateway).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    if (heard.includes('}')) socket.end();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (isCut) socket.end();
  await closed;
  return heard;
}

const statusOf = (heard: string): string => heard.slice(9, 12);

/** A gauge as the node tells it, by the start of its line. */
async function gauge(api: string, start: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${start} `));
  assert.ok(line !== undefined, start);
  return Number(line.slice(start.length));
}

const HELD = 'http_in_flight_bytes';
const WAITING = 'http_in_flight_waiting';
const CONNECTIONS = 'http_connections{listener="gateway"}';

/** Waits until nothing is under way: no byte held, nobody waiting, no connection open. */
async function whenIdle(api: string): Promise<void> {
  const end = performance.now() + 10_000;
  for (;;) {
    const left = [await gauge(api, HELD), await gauge(api, WAITING), await gauge(api, CONNECTIONS)];
    if (left.every((value) => value === 0)) return;
    assert.ok(performance.now() < end, `bytes, waiting, connections: ${left.join(', ')}`);
  }
}

async function storedTexts(api: string): Promise<readonly string[]> {
  const ask = async (action: string, input: object): Promise<Answer> => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${action}`,
      'x-amz-date': '20260101T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00',
    };
    const answer = await fetch(api, { method: 'POST', headers, body: JSON.stringify(input) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return await answer.json();
  };
  const shard = { StreamName: 'hooks', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await ask('GetShardIterator', shard);
  const { Records } = await ask('GetRecords', { ShardIterator });
  return Records.map(({ Data }: { Data: string }) => Buffer.from(Data, 'base64').toString());
}

/** Sends these bytes and then nothing more: says so, or resets the connection once the node has what was sent. */
async function cut(gateway: string, bytes: Uint8Array, how: 'end' | 'reset'): Promise<string> {
  if (how === 'end') return await say(gateway, [bytes], true);
  const socket = connect(Number(new URL(gateway).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
  await closed;
  return heard;
}

/** A webhook whose body comes in these chunks, with an extension and a trailer: its bytes in parts, as they are framed. */
function inChunks(id: string, chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const framed = chunks.flatMap((chunk) => [`${chunk.length.toString(16)};note=x\r\n`, chunk, '\r\n']);
  const head = headOf(id, Buffer.concat(chunks), ['transfer-encoding: chunked']);
  return [head, ...framed, '0\r\n', 'x-trailer: t\r\n', '\r\n'].map((part) => Buffer.from(part));
}

const SMALL = Buffer.from('{"zen":"größer"}');
/** Nearly the largest record: it comes in many reads. */
const LARGE = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000_000) }));

/** Each way a body comes: its parts, and the lengths to cut it at; absent: each. */
const WAYS: readonly (readonly [string, Buffer, readonly Uint8Array[], ((parts: readonly number[]) => number[])?])[] = [
  ['of a told length', SMALL, [Buffer.from(headOf('length', SMALL)), SMALL]],
  ['in chunks', SMALL, inChunks('chunks', [SMALL.subarray(0, 9), SMALL.subarray(9, 10), SMALL.subarray(10)])],
  ['large, of a told length', LARGE, [Buffer.from(headOf('large', LARGE)), LARGE], around],
  [
    'large, in chunks',
    LARGE,
    inChunks('large chunks', [LARGE.subarray(0, 65_536), LARGE.subarray(65_536, 900_000), LARGE.subarray(900_000)]),
    around,
  ],
];

/** Around the end of each part, and in its middle. */
function around(lengths: readonly number[]): number[] {
  let end = 0;
  const cuts = lengths.flatMap((length) => {
    end += length;
    return [end - Math.ceil(length / 2), end - 1, end, end + 1];
  });
  return cuts.filter((length) => length < end);
}

for (const [way, body, parts, lengthsOf] of WAYS) {
  test(`a webhook that is cut at any byte stores nothing, holds nothing, uses up no id; whole, it is new: ${way}`, async () => {
    await withNode(undefined, SECTIONS, async ({ api, gateway }) => {
      const whole = Buffer.concat(parts);
      const lengths = lengthsOf?.(parts.map((part) => part.length)) ?? whole.keys();
      for (const length of lengths) {
        for (const how of ['end', 'reset'] as const) {
          const heard = await cut(gateway, whole.subarray(0, length), how);
          assert.ok(!heard.startsWith('HTTP/1.1 200'), `${length} bytes, ${how}: ${heard}`);
        }
      }
      await whenIdle(api);
      assert.deepEqual(await storedTexts(api), []);
      const pieces = body === LARGE ? [whole] : Array.from(whole, (byte) => Uint8Array.of(byte));
      assert.match(await say(gateway, pieces), /^HTTP\/1\.1 200 [^]*"duplicate":false/);
      assert.deepEqual(await storedTexts(api), [body.toString()]);
    });
  });
}

test('what a webhook holds while it comes is told, and given back when its sender goes', async () => {
  await withNode(undefined, SECTIONS, async ({ api, gateway }) => {
    const socket = connect(Number(new URL(gateway).port), '127.0.0.1');
    socket.write(headOf('half', LARGE));
    socket.write(LARGE.subarray(0, -1));
    const end = performance.now() + 10_000;
    while ((await gauge(api, HELD)) < LARGE.length) assert.ok(performance.now() < end, 'it is not held');
    assert.equal(await gauge(api, CONNECTIONS), 1);
    socket.destroy();
    await whenIdle(api);
  });
});

test('lengths that lie, chunks that never end, and bombs', async () => {
  await withNode(undefined, SECTIONS, async ({ gateway }) => {
    const body = Buffer.from('{"a":1}');
    const short = await say(gateway, [headOf('short', body, ['content-length: 3']), body]);
    assert.equal(statusOf(short), '401', 'the first three bytes are not what was signed');
    const chunked = ['transfer-encoding: chunked'];
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const overflow = await say(gateway, [headOf('long', body, chunked), ...Array.from({ length: 20 }, () => chunk)]);
    assert.equal(statusOf(overflow), '413');
    const lying = await say(gateway, [headOf('both', body, ['content-length: 7', ...chunked]), body]);
    assert.equal(statusOf(lying), '400');
    const bomb = gzipSync(gzipSync(Buffer.alloc(256 * 1024 * 1024)));
    const length = `content-length: ${bomb.length}`;
    const packed = ['content-encoding: gzip, gzip', length];
    assert.equal(statusOf(await say(gateway, [headOf('bomb', bomb, packed), bomb])), '413');
    const ok = await say(gateway, [headOf('ok', body), body]);
    assert.match(ok, /"duplicate":false/);
  });
});
