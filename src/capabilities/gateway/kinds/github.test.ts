import { verify } from '@octokit/webhooks-methods';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { github } from './github.ts';

const VECTOR = {
  secret: "It's a Secret to Everybody",
  body: 'Hello, World!',
  signature: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
};

const HEADER = 'x-hub-signature-256';

function headersOf(secret: string, body: Uint8Array | string): Readonly<Record<string, string>> {
  const sample = { body: Buffer.from(body), event: 'push', deliveryId: 'd1', nowMs: 0 };
  return github.sign({ secrets: [secret] }, sample) ?? assert.fail();
}

function signGithub(secret: string, body: Uint8Array | string): string {
  return headersOf(secret, body)[HEADER] ?? assert.fail();
}

async function verifyGithub(
  secrets: readonly string[],
  body: Uint8Array | string,
  signature: string,
): Promise<boolean> {
  const verifier = github.create({ secrets }, {} as never);
  const headers = { [HEADER]: signature };
  const request = { headers, body: Buffer.from(body), nowMs: 0, turn: async () => undefined };
  return verifier.mayVerify(headers) && (await verifier.verify(request)) === 'valid';
}

function payloads(): string[] {
  const require = createRequire(import.meta.url);
  const definitions = require('@octokit/webhooks-examples') as readonly { examples: readonly unknown[] }[];
  return definitions.flatMap(({ examples }) => examples.map((example) => JSON.stringify(example)));
}

test("GitHub's published vector", async () => {
  assert.equal(signGithub(VECTOR.secret, VECTOR.body), VECTOR.signature);
  assert.equal(await verifyGithub([VECTOR.secret], Buffer.from(VECTOR.body), VECTOR.signature), true);
});

test('only the exact form is a signature', async () => {
  const digits = VECTOR.signature.slice('sha256='.length);
  const refused: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['digits alone', digits],
    ['upper-case digits', `sha256=${digits.toUpperCase()}`],
    ['upper-case prefix', `SHA256=${digits}`],
    ['sha1 prefix', `sha1=${digits.slice(0, 40)}`],
    ['cut', VECTOR.signature.slice(0, -1)],
    ['one digit more', `${VECTOR.signature}0`],
    ['two values joined', `${VECTOR.signature}, ${VECTOR.signature}`],
    ['blank in front', ` ${VECTOR.signature}`],
    ['line end behind', `${VECTOR.signature}\n`],
    ['not a digit', `sha256=${digits.slice(0, -1)}g`],
    ['wide characters of the same length', `sha256=${'ü'.repeat(64)}`],
    ['another signature', `sha256=${'0'.repeat(64)}`],
  ];
  for (const [name, signature] of refused) {
    assert.equal(await verifyGithub([VECTOR.secret], VECTOR.body, signature), false, name);
  }
});

test('any of several secrets verifies, none verifies nothing', async () => {
  const { body, signature, secret } = VECTOR;
  assert.equal(await verifyGithub(['old', secret], body, signature), true);
  assert.equal(await verifyGithub([secret, 'new'], body, signature), true);
  assert.equal(await verifyGithub(['old', 'new'], body, signature), false);
  assert.equal(await verifyGithub([], body, signature), false);
});

test('every real payload verifies here and elsewhere, and with one byte changed nowhere', async () => {
  const secret = 'größer als ASCII';
  const all = payloads();
  assert.ok(all.length >= 300, `${all.length} payloads`);
  for (const [index, text] of all.entries()) {
    const body = Buffer.from(text);
    const signature = signGithub(secret, body);
    assert.equal(await verifyGithub([secret], body, signature), true);
    assert.equal(await verify(secret, text, signature), true);
    const at = (index * 7919) % body.length;
    body[at] = (body[at] ?? 0) ^ 1;
    assert.equal(await verifyGithub([secret], body, signature), false);
  }
});

test('headers as GitHub sends them', () => {
  const { secret, body, signature } = VECTOR;
  assert.deepEqual(headersOf(secret, body), {
    'user-agent': 'GitHub-Hookshot/millrace',
    'x-github-event': 'push',
    'x-github-delivery': 'd1',
    [HEADER]: signature,
  });
});
