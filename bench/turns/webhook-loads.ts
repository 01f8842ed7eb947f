import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { TurnsLoad } from './loads.ts';

const MIB = 1024 * 1024;
const SECRET = 'the secret of the bench';
const ROUNDS = 4;
const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** Three secrets each, so that a body is hashed three times: the first two are those of a rotation. */
const github = { github: { secrets: ['old', 'older', SECRET] } };
const CONFIG = {
  streams: { large: { ShardCount: 1, MaxRecordSizeInKiB: 10_240 }, small: { ShardCount: 1 } },
  gateway: {
    routes: {
      'POST /record': { verify: github, to: 'large' },
      'POST /object': { verify: github, to: 'small', largeBody: { claimCheck: 'bodies' } },
      'POST /public': {
        verify: { standard: { secrets: [openKey()] } },
        to: 'small',
        largeBody: { claimCheck: 'bodies' },
      },
    },
  },
};

/** Bodies near the bounds: 9 MiB into a record, as it is and compressed, and 24 MiB into an object. */
export const largeWebhooks: TurnsLoad = {
  name: 'webhooks',
  title: 'signed webhooks of 9 MiB, plain and gzip, and of 24 MiB into objects',
  config: CONFIG,
  async run(port, begin) {
    const node = await fetch(`http://127.0.0.1:${port}/admin/node`);
    const { gateway } = (await node.json()) as { gateway: string };
    const plain = jsonOf(9);
    const long = jsonOf(24);
    const round = async (): Promise<void> => {
      await post(`${gateway}/record`, plain, githubHeaders(plain));
      const packed = gzipSync(plain);
      await post(`${gateway}/record`, packed, { ...githubHeaders(packed), 'content-encoding': 'gzip' });
      await post(`${gateway}/object`, long, githubHeaders(long));
      await post(`${gateway}/public`, long, standardHeaders(long));
    };
    await round();
    await begin();
    for (let times = 0; times < ROUNDS; times += 1) await round();
  },
};

function openKey(): string {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return `whpk_${spki.subarray(-32).toString('base64')}`;
}

/** Of which half can be compressed. */
function jsonOf(mib: number): Buffer {
  return Buffer.from(`{"text":"${randomBytes((mib * MIB) / 2 - 32).toString('hex')}"}`);
}

function githubHeaders(body: Buffer): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  return { 'x-github-delivery': crypto.randomUUID(), 'x-hub-signature-256': `sha256=${signature}` };
}

function standardHeaders(body: Buffer): Readonly<Record<string, string>> {
  const [id, timestamp] = [crypto.randomUUID(), String(Math.floor(Date.now() / 1000))];
  const signature = sign(null, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]), privateKey);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1a,${signature.toString('base64')}`,
  };
}

async function post(url: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
}
