import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { withNode } from './key-pairs.fixture.ts';

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

test('a webhook that is cut at any byte stores nothing and uses up no id; whole, it is new', async () => {
  await withNode(undefined, SECTIONS, async ({ gateway }) => {
    const body = Buffer.from('{"zen":"größer"}');
    const whole = Buffer.concat([Buffer.from(headOf('cut', body)), body]);
    for (let length = 0; length < whole.length; length += 1) {
      const heard = await say(gateway, [whole.subarray(0, length)], true);
      assert.ok(!heard.startsWith('HTTP/1.1 200'), `${length} bytes: ${heard}`);
    }
    const heard = await say(
      gateway,
      [...whole].map((byte) => Uint8Array.of(byte)),
    );
    assert.match(heard, /^HTTP\/1\.1 200 [^]*"duplicate":false/);
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
