import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Simulation } from '../environments/simulated/index.ts';
import type { Certificate } from '../wire/http/certificate.ts';
import { openCertificate, type NamedCertificate, type NodeCertificate } from './certificate.ts';

const DAY_MS = 86_400_000;
const KEPT = ['bundle.pem', 'certificate.pem', 'key.pem'];

async function open(
  simulation: Simulation,
  hosts: readonly string[] = [],
  named?: NamedCertificate,
): Promise<NodeCertificate> {
  const options = { dataDirectory: '/data', hosts, named };
  return await simulation.drive(openCertificate(options, simulation.environment));
}

async function overwrite(simulation: Simulation, path: string, text: string): Promise<void> {
  const { files } = simulation.environment;
  const write = async (): Promise<void> => {
    await files.remove(path);
    const file = await files.open(path, 'create');
    await file.write(Buffer.from(text), 0);
    await file.close();
  };
  await simulation.drive(write());
}

function days(simulation: Simulation, { cert }: Certificate): number {
  const read = new X509Certificate(cert);
  return Math.round((Date.parse(read.validTo) - simulation.wallNow) / DAY_MS);
}

test('made once, kept over a power cut, and made anew when it does not fit any more', async () => {
  const simulation = new Simulation(1);
  await simulation.drive(simulation.environment.files.makeDirectory('/data'));
  await simulation.drive(simulation.environment.files.syncDirectory('/'));
  const first = await open(simulation);
  assert.equal(days(simulation, first.current), 365);
  assert.deepEqual([first.file, first.bundle], ['/data/tls/certificate.pem', '/data/tls/bundle.pem']);
  assert.deepEqual(await simulation.drive(simulation.environment.files.list('/data/tls')), KEPT);
  simulation.crash();
  simulation.restart();
  assert.deepEqual((await open(simulation)).current, first.current);
  const wider = await open(simulation, ['Events.Example', '0.0.0.0', '10.1.2.3', 'not a name']);
  assert.notEqual(wider.current.cert, first.current.cert);
  assert.equal(
    new X509Certificate(wider.current.cert).subjectAltName,
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:events.example, IP Address:10.1.2.3',
  );
  assert.equal(
    (await open(simulation, ['events.example'])).current.cert,
    wider.current.cert,
    'it names more than asked',
  );
  simulation.stepClock(334 * DAY_MS);
  assert.equal((await open(simulation)).current.cert, wider.current.cert);
  simulation.stepClock(2 * DAY_MS);
  const renewed = await open(simulation);
  assert.equal(days(simulation, renewed.current), 365);
  simulation.stepClock(-700 * DAY_MS);
  assert.notEqual(
    (await open(simulation)).current.cert,
    renewed.current.cert,
    'not valid yet by a clock that was set back',
  );
});

test('what is broken in the data directory is replaced, and a full disk keeps nobody from starting', async () => {
  const simulation = new Simulation(2);
  const { current } = await open(simulation);
  for (const name of KEPT) {
    if (name === 'bundle.pem') await simulation.drive(simulation.environment.files.remove(`/data/tls/${name}`));
    else await overwrite(simulation, `/data/tls/${name}`, 'broken');
    assert.notEqual((await open(simulation)).current.cert, current.cert, name);
  }
  await simulation.drive(simulation.environment.files.removeTree('/data/tls'));
  simulation.limitDisk(0);
  const unkept = await open(simulation);
  assert.equal(days(simulation, unkept.current), 365);
  assert.deepEqual(
    simulation.logged.map(({ event }) => event),
    ['tls.certificate-not-kept'],
  );
});

test('named files are read again; halves of two are refused once, and the old one stays', async () => {
  const simulation = new Simulation(3);
  const [one, two] = [(await open(simulation)).current, (await open(simulation, ['two.example'])).current];
  const named = { cert: '/pki/cert.pem', key: '/pki/key.pem' };
  await assert.rejects(open(simulation, [], named), { code: 'InvalidConfig', message: /^server\.tls\.cert: / });
  await simulation.drive(simulation.environment.files.makeDirectory('/pki'));
  await overwrite(simulation, named.cert, one.cert);
  await overwrite(simulation, named.key, two.key);
  await assert.rejects(open(simulation, [], named), { message: 'server.tls.key: not the key of the certificate' });
  await overwrite(simulation, named.key, one.key.replace('BEGIN', 'BEGUN'));
  await assert.rejects(open(simulation, [], named), { message: /^server\.tls\.key: not a private key in PEM/ });
  await overwrite(simulation, named.key, one.key);
  const opened = await open(simulation, [], named);
  assert.deepEqual([opened.current, opened.file, opened.bundle], [one, named.cert, undefined]);
  const shown: Certificate[] = [];
  const watched = opened.watch((next) => void shown.push(next));
  await overwrite(simulation, named.cert, two.cert);
  await simulation.pass(150_000);
  assert.deepEqual(shown, []);
  await overwrite(simulation, named.key, two.key);
  await simulation.pass(60_000);
  assert.deepEqual(shown, [two]);
  await overwrite(simulation, named.cert, one.cert);
  await overwrite(simulation, named.key, one.key);
  await simulation.drive(watched.look());
  assert.deepEqual(shown, [two, one]);
  watched.stop();
  await overwrite(simulation, named.key, two.key);
  await simulation.pass(150_000);
  assert.deepEqual(
    simulation.logged.map(({ event }) => event),
    ['tls.certificate-refused', 'tls.certificate-changed', 'tls.certificate-changed'],
  );
});
