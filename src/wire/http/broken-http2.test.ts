/** Senders of HTTP/2 that break the protocol: the platform says so to them, and nothing to us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpLimits } from './limits.ts';
import { testCertificate } from './protocols.fixture.ts';
import { block, END_HEADERS, END_STREAM, frame, frames, heard, hello } from './raw-http2.fixture.ts';
import { serve, until, type Peer, type Served } from './sockets.fixture.ts';

const ACK = 1;
const PROTOCOL_ERROR = 1;
const COMPRESSION_ERROR = 9;
const { h2LookMs } = httpLimits;

const get = (stream: number): Buffer => frame(frames.headers, END_HEADERS | END_STREAM, stream, block());

const breaches: readonly (readonly [name: string, sent: Buffer, code: number])[] = [
  ['CONTINUATION without HEADERS', frame(frames.continuation, END_HEADERS, 1, block()), PROTOCOL_ERROR],
  ['DATA of stream 0', frame(frames.data, 0, 0, Buffer.alloc(1)), PROTOCOL_ERROR],
  ['bad HPACK', frame(frames.headers, END_HEADERS | END_STREAM, 3, Buffer.alloc(6, 0xff)), COMPRESSION_ERROR],
];

const farewell = (peer: Peer): number | undefined => heard(peer).find(({ type }) => type === frames.goaway)?.code;
const pings = (peer: Peer): number =>
  heard(peer).filter(({ type, flags }) => type === frames.ping && flags !== ACK).length;

async function ends({ listener }: Served): Promise<void> {
  while ((await listener.connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
}

for (const [name, breach, code] of breaches) {
  test(`${name}: the connection is over within two looks, whether its sender leaves or stays`, async (context) => {
    const served = await serve(context);
    for (const leaves of [true, false]) {
      const peer = await served.connect();
      peer.send(Buffer.concat([hello(), get(1)]));
      await until(() => heard(peer).some(({ type, stream }) => type === frames.data && stream === 1));
      peer.send(breach);
      await until(() => farewell(peer) !== undefined);
      assert.equal(farewell(peer), code);
      if (leaves) peer.socket.end();
      assert.equal(await served.listener.connections(), 1, 'nobody noticed yet');
      await served.fire(h2LookMs);
      await served.fire(h2LookMs);
      await ends(served);
      peer.socket.destroy();
    }
  });
}

test('who answers the look, who does not, and who is silent keep their connections', async (context) => {
  const served = await serve(context, { certificate: testCertificate() });
  for (const answers of [true, false]) {
    const peer = await served.connect();
    peer.send(hello());
    await until(() => heard(peer).length > 0);
    for (let looks = 1; looks <= 4; looks += 1) {
      await served.fire(h2LookMs);
      await until(() => pings(peer) > 0);
      if (answers && looks === 1) {
        const { payload } = heard(peer).find(({ type }) => type === frames.ping) ?? {};
        peer.send(Buffer.concat([frame(frames.ping, ACK, 0, payload), frame(frames.ping, 0, 0, Buffer.alloc(8))]));
        await until(() => heard(peer).some(({ type, flags }) => type === frames.ping && flags === ACK));
      }
    }
    assert.equal(pings(peer), 1, 'nothing came since');
    peer.send(get(1));
    await until(() => heard(peer).some(({ type, stream }) => type === frames.data && stream === 1));
    peer.socket.destroy();
    await ends(served);
  }
  await until(() => served.timers(h2LookMs) === 0);
});
