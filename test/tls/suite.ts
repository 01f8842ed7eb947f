/** Which protocols a node serves under a certificate that somebody names in its file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, testCertificate } from '../../src/wire/http/protocols.fixture.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../support/node-process.ts';

const NAMED = 'cert: cert.pem, key: key.pem';
const HEALTH = { path: '/healthz' };

const table: readonly (readonly [mode: 'dev' | 'start', tls: string, plain: number])[] = [
  ['start', `{ ${NAMED} }`, 400],
  ['start', `{ ${NAMED}, plaintext: false }`, 400],
  ['start', `{ ${NAMED}, plaintext: true }`, 200],
  ['dev', `{ ${NAMED} }`, 200],
  ['dev', `{ ${NAMED}, plaintext: false }`, 200],
];

for (const [mode, tls, plain] of table) {
  test(`millrace ${mode} with server.tls: ${tls} answers ${plain} without TLS`, async (context) => {
    const folder = temporaryDirectory('tls');
    context.after(() => removeDirectory(folder));
    const { cert, key } = testCertificate();
    const config = join(folder, 'millrace.yaml');
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(config, `server: { tls: ${tls} }\n`);
    const isReady = async (port: number): Promise<boolean> =>
      (await ask('http/1.1 over TLS', port, cert, { path: '/readyz' })).status === 200;
    const node = await startNodeProcess({ mode, config, data: join(folder, 'data'), isReady });
    try {
      for (const url of [node.api, node.gateway]) {
        const port = Number(new URL(url).port);
        const said = await ask('http/1.1', port, '', HEALTH);
        assert.deepEqual([said.status, /TLS only/.test(said.body)], [plain, plain === 400], url);
        for (const way of ['http/1.1 over TLS', 'h2 over TLS'] as const) {
          assert.equal((await ask(way, port, cert, HEALTH)).status, 200, `${url} ${way}`);
        }
      }
    } finally {
      assert.equal(await node.stop(), 0, node.output());
    }
  });
}

test('millrace start without a certificate of its own serves both', async (context) => {
  const data = temporaryDirectory('tls');
  context.after(() => removeDirectory(data));
  const node = await startNodeProcess({ mode: 'start', data });
  assert.equal((await fetch(`${node.gateway}/healthz`)).status, 200);
  assert.equal(await node.stop(), 0, node.output());
});
