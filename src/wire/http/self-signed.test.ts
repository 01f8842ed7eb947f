import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { nodeRandom } from '../../environments/node/random.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;
const HOSTS = ['localhost', 'Events.Example', '127.0.0.1', '::1', 'fe80::1:2', '::ffff:10.1.2.3'];

function made(from = Date.now() - DAY_MS, until = Date.now() + DAY_MS) {
  return makeSelfSigned({ hosts: HOSTS, from, until }, nodeRandom);
}

test('what the certificate says, as the platform reads it', () => {
  const from = Date.UTC(2026, 0, 2, 3, 4, 5);
  const { cert, key } = made(from, Date.UTC(2051, 0, 1));
  const read = new X509Certificate(cert);
  assert.equal(read.subject, 'CN=millrace');
  assert.equal(read.issuer, read.subject);
  assert.equal(
    read.subjectAltName,
    'DNS:localhost, DNS:events.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' +
      'IP Address:FE80:0:0:0:0:0:1:2, IP Address:0:0:0:0:0:FFFF:A01:203',
  );
  assert.equal(Date.parse(read.validFrom), from);
  assert.equal(Date.parse(read.validTo), Date.UTC(2051, 0, 1));
  assert.deepEqual(read.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(read.ca, false);
  assert.match(read.serialNumber, /^[4-7][0-9A-F]{31}$/);
  assert.equal(read.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.ok(read.verify(read.publicKey), 'it signed itself');
  assert.ok(read.checkPrivateKey(createPrivateKey(key)), 'the key is its own');
  assert.notEqual(new X509Certificate(made().cert).serialNumber, read.serialNumber);
});

test('a client that trusts it, and nothing else, connects by each of its names', async (context) => {
  const own = made();
  const server = createServer({ ...own }, (socket) => socket.end('hello')).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const outcome = async (servername: string, ca: string): Promise<string> => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername, ca });
    socket.resume();
    try {
      await once(socket, 'secureConnect');
      return 'connected';
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    } finally {
      socket.destroy();
    }
  };
  assert.deepEqual(await Promise.all(['localhost', 'events.example', ''].map((name) => outcome(name, own.cert))), [
    'connected',
    'connected',
    'connected',
  ]);
  assert.equal(await outcome('other.example', own.cert), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.equal(await outcome('localhost', made().cert), 'DEPTH_ZERO_SELF_SIGNED_CERT');
});
