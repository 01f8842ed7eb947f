import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { verifierKinds } from '../capabilities/gateway/kinds/index.ts';
import { withNode } from '../compose/key-pairs.fixture.ts';
import { signWebhook } from './sign-webhook.ts';

const KEY = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const OPTIONS: Readonly<Record<string, object>> = {
  standard: { secrets: [KEY] },
  gitlab: { tokens: ['t'] },
  hmac: { secrets: ['s'], header: 'X-Sign' },
  basic: { username: 'u', secrets: ['s'] },
};

function fixturesOf(kind: string): readonly (readonly [event: string, body: Buffer])[] {
  const folder = `fixtures/${kind}`;
  try {
    return readdirSync(folder).map((name) => [basename(name, '.json'), readFileSync(join(folder, name))] as const);
  } catch {
    return [['sample', Buffer.from('{}')]];
  }
}

test('every kind that can be signed: a sample is taken by a running node with the route’s own secret, or another', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sign-'));
  const kinds = verifierKinds.map(({ name }) => name);
  const routes = Object.fromEntries(
    kinds.map((name) => [`POST /${name}`, { verify: { [name]: OPTIONS[name] ?? { secrets: ['s'] } }, to: 'hooks' }]),
  );
  const file = join(folder, 'm.yaml');
  const sections = { streams: { hooks: { ShardCount: 1 } }, gateway: { routes } };
  writeFileSync(file, JSON.stringify(sections));
  await withNode(undefined, sections, async ({ gateway }) => {
    for (const kind of kinds) {
      for (const [event, body] of fixturesOf(kind)) {
        const webhook = { route: `POST /${kind}`, kind, file, data: folder, body, event, deliveryId: 'd-1' };
        const send = async (secret: string | undefined): Promise<number> => {
          const headers = await signWebhook({ ...webhook, secret });
          assert.ok(headers !== undefined, kind);
          const type = { 'content-type': 'application/json' };
          const answer = await fetch(`${gateway}/${kind}`, {
            method: 'POST',
            body: new Uint8Array(body),
            headers: { ...type, ...headers },
          });
          await answer.text();
          return answer.status;
        };
        const other = `whsec_${Buffer.alloc(24, 4).toString('base64')}`;
        assert.deepEqual([await send(undefined), await send(other)], [200, 401], `${kind}.${event}`);
      }
    }
    const nothing = { route: 'POST /github', data: folder, body: Buffer.from(''), event: 'e', deliveryId: 'd' };
    assert.equal(await signWebhook({ ...nothing, kind: 'github', file: undefined, secret: undefined }), undefined);
    assert.deepEqual(await signWebhook({ ...nothing, kind: 'none', file, secret: undefined }), {});
  });
  rmSync(folder, { recursive: true });
});
