import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT, generateKeyPair, exportJWK } from 'jose';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { isFresh } from './freshness.ts';
import { matchesAny } from './hmac.ts';
import { areValid, isSignedBy, readKeySet, readToken, sharedTokenKey, tokenAlgorithms } from './json-web-token.ts';
import { basicHeader, isOneOfSecrets, readBasic } from './secret-text.ts';
import { signByScheme, verifyByScheme, type SignatureScheme } from './signature-scheme.ts';
import { signSlack, slackChallenge, verifySlack } from './slack.ts';
import { readStandardKey, signStandard, verifyStandard, type StandardKey } from './standard.ts';
import { readStripeSignature, signStripe, verifyStripe } from './stripe.ts';

const NOW = 1_700_000_000;
const BODY = '{"text":"größer als ASCII 🙂"}';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const compute = {
  isSigned: async (bytes: Uint8Array, key: KeyObject, signature: Uint8Array) => verify(null, bytes, key, signature),
};
const atOnce = async (): Promise<void> => undefined;

function standardKey(text: string): StandardKey {
  const key = readStandardKey(text);
  assert.ok(key !== undefined);
  return key;
}

test('Standard Webhooks: what svix and standardwebhooks sign verifies, and what is signed here verifies there', async () => {
  const at = new Date(NOW * 1000);
  const timestamp = String(NOW);
  const key = standardKey(SECRET);
  assert.ok(key.scheme === 'v1');
  for (const library of [new StandardWebhook(SECRET), new SvixWebhook(SECRET)]) {
    const signature = library.sign('msg_1', at, BODY);
    assert.equal(signature, signStandard(key.bytes, 'msg_1', timestamp, BODY));
    const headers = { id: 'msg_1', timestamp, signature };
    assert.equal(await verifyStandard([key], headers, Buffer.from(BODY), { turn: atOnce, compute }), true);
    assert.equal(
      await verifyStandard([key], { ...headers, id: 'msg_2' }, Buffer.from(BODY), { turn: atOnce, compute }),
      false,
      'the id is signed',
    );
    assert.equal(
      await verifyStandard([key], { ...headers, timestamp: '1' }, Buffer.from(BODY), { turn: atOnce, compute }),
      false,
      'so is the time',
    );
    assert.equal(await verifyStandard([key], headers, Buffer.from(`${BODY} `), { turn: atOnce, compute }), false);
  }
  const present = String(Math.floor(Date.now() / 1000));
  const own = signStandard(key.bytes, 'msg_3', present, BODY);
  const headers = { 'webhook-id': 'msg_3', 'webhook-timestamp': present, 'webhook-signature': own };
  assert.deepEqual(new StandardWebhook(SECRET).verify(BODY, headers), JSON.parse(BODY));
});

test('Standard Webhooks: lists, other schemes, Ed25519, bytes that are no UTF-8', async () => {
  const key = standardKey(SECRET);
  const raw = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const open = standardKey(`whpk_${spki.subarray(spki.length - 32).toString('base64')}`);
  const signed = Buffer.concat([Buffer.from(`m.${NOW}.`), raw]);
  const v1a = `v1a,${sign(null, signed, privateKey).toString('base64')}`;
  const other = `v1a,${Buffer.alloc(64, 1).toString('base64')}`;
  const stranger = { scheme: 'v1a', key: generateKeyPairSync('ed25519').publicKey } as const;
  assert.ok(key.scheme === 'v1');
  const v1 = signStandard(key.bytes, 'm', String(NOW), raw);
  const table: readonly (readonly [string, readonly StandardKey[], boolean])[] = [
    [v1, [key], true],
    [`v1,AAAA ${v1}`, [key], true],
    [`v2,AAAA ${v1}`, [key], true],
    [v1.replace('v1,', 'v2,'), [key], false],
    [v1a, [open], true],
    [v1a, [key, open], true],
    [v1a, [key], false],
    [v1a.replace('v1a,', 'v1,'), [open], false],
    [`${v1a} ${v1}`, [key], true],
    [`${other} ${other} ${v1a}`, [open], true],
    [`${other} ${other} ${other} ${v1a}`, [open], false],
    [v1a, [...Array.from({ length: 9 }, () => stranger), open], true],
    [`${other} ${other} ${v1a}`, [stranger, stranger, stranger, open], false],
    ['v1a,', [open], false],
    ['v1a,*', [open], false],
    ['', [key, open], false],
    [v1, [], false],
  ];
  for (const [signature, keys, isValid] of table) {
    assert.equal(
      await verifyStandard(keys, { id: 'm', timestamp: String(NOW), signature }, raw, { turn: atOnce, compute }),
      isValid,
      signature,
    );
  }
  for (const text of [
    '',
    'whsec_',
    'whsec_AAAA',
    'whsec_*',
    'whpk_AAAA',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ]) {
    assert.equal(readStandardKey(text), undefined, text);
  }
});

test('the copy that a public-key signature is checked on is held as long as that lasts, however it ends', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const open = { scheme: 'v1a', key: publicKey } as const;
  const shared = standardKey(SECRET);
  assert.ok(shared.scheme === 'v1');
  const raw = Buffer.from(BODY);
  const front = Buffer.from(`m.${NOW}.`);
  const own = `v1a,${sign(null, Buffer.concat([front, raw]), privateKey).toString('base64')}`;
  const other = `v1a,${Buffer.alloc(64, 1).toString('base64')}`;
  const failing = { isSigned: async () => await Promise.reject(new Error('no thread')) };
  const { length } = raw;
  for (const [signature, key, doors, outcome, told] of [
    [own, open, compute, true, [length, -length]],
    [other, open, compute, false, [length, -length]],
    [own, open, failing, 'no thread', [length, -length]],
    [signStandard(shared.bytes, 'm', String(NOW), raw), shared, failing, true, []],
    [own, shared, failing, false, []],
  ] as const) {
    const taken: number[] = [];
    const room = {
      hold: async (bytes: number) => void taken.push(bytes),
      giveBack: (bytes: number) => void taken.push(-bytes),
    };
    const headers = { id: 'm', timestamp: String(NOW), signature };
    const verified = verifyStandard([key], headers, raw, { turn: atOnce, compute: doors, room });
    assert.equal(await verified.catch(({ message }: Error) => message), outcome, signature);
    assert.deepEqual(taken, told, signature);
  }
});

test('Stripe: what its library signs verifies; v0 alone, two times and a cut header do not', async () => {
  const secret = 'whsec_test_secret';
  const header = Stripe.webhooks.generateTestHeaderString({ payload: BODY, secret, timestamp: NOW });
  assert.equal(header, signStripe(secret, String(NOW), BODY));
  const signature = readStripeSignature(header);
  assert.ok(signature !== undefined);
  assert.equal(await verifyStripe(['old', secret], signature, Buffer.from(BODY), atOnce), true);
  assert.equal(await verifyStripe(['old'], signature, Buffer.from(BODY), atOnce), false);
  assert.equal(
    await verifyStripe([secret], { ...signature, timestamp: String(NOW + 1) }, Buffer.from(BODY), atOnce),
    false,
  );
  for (const text of ['', 't=1', 'v1=aa', 't=1,v0=aa', `t=1,${header}`]) {
    assert.equal(readStripeSignature(text), undefined, text);
  }
});

test("Slack's published vector", async () => {
  const secret = '8f742231b10e8888abcd99yyyzzz85a5';
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const signature = signSlack(secret, '1531420618', body);
  assert.match(signature, /^v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503$/);
  assert.equal(await verifySlack(['other', secret], '1531420618', signature, Buffer.from(body), atOnce), true);
  assert.equal(await verifySlack([secret], '1531420619', signature, Buffer.from(body), atOnce), false);
  assert.equal(slackChallenge({ type: 'url_verification', challenge: 'abc' }), 'abc');
  for (const content of [undefined, null, 'x', {}, { type: 'url_verification' }, { type: 'x', challenge: 'abc' }]) {
    assert.equal(slackChallenge(content), undefined);
  }
});

test("Atlassian's published vector, and schemes of senders without a preset", async () => {
  const plain: SignatureScheme = { algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=', template: '{body}' };
  const parts = { id: '', timestamp: '', body: 'Hello World!' };
  assert.equal(
    signByScheme(plain, "It's a Secret to Everybody", parts),
    'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9',
  );
  const scheme: SignatureScheme = {
    ...plain,
    algorithm: 'sha512',
    encoding: 'base64url',
    template: '{ts}:{id}:{body}',
  };
  const signature = signByScheme(scheme, 'k', { id: 'i', timestamp: '1', body: 'b' });
  assert.equal(signature, `sha256=${createHmac('sha512', 'k').update('1:i:b').digest('base64url')}`);
  assert.equal(
    await verifyByScheme(scheme, ['x', 'k'], { id: 'i', timestamp: '1', body: 'b' }, signature, atOnce),
    true,
  );
  assert.equal(await verifyByScheme(scheme, ['k'], { id: 'b', timestamp: '1', body: 'i' }, signature, atOnce), false);
});

test('large bodies are worked through with turns in between, a MiB for each, whatever the number of keys', async () => {
  const body = Buffer.alloc(5 * 1024 * 1024 + 3, 'größer');
  const keys = ['a', 'b', 'c'];
  let turns = 0;
  const turn = async (): Promise<void> => void (turns += 1);
  const scheme: SignatureScheme = { algorithm: 'sha256', encoding: 'hex', prefix: '', template: '{ts}.{body}' };
  const signature = createHmac('sha256', 'c').update('1.').update(body).digest('hex');
  assert.equal(await verifyByScheme(scheme, keys, { timestamp: '1', body }, signature, turn), true);
  assert.equal(turns, 15);
  const stripe = { timestamp: '1', signatures: [signature] };
  turns = 0;
  assert.equal(await verifyStripe(keys, stripe, body, turn), true);
  assert.equal(await verifyStripe(['a', 'b'], stripe, body, turn), false);
  assert.equal(turns, 25);
  turns = 0;
  const small = body.subarray(0, 300_000);
  assert.equal(await verifySlack(keys, '1', signSlack('b', '1', small), small, turn), true);
  assert.equal(turns, 0);
  turns = 0;
  const pairs = [1, 2, 3].map(() => generateKeyPairSync('ed25519'));
  const text = `v1a,${sign(null, Buffer.concat([Buffer.from('m.1.'), body]), (pairs[2] ?? assert.fail()).privateKey).toString('base64')}`;
  const open = pairs.map(({ publicKey }) => ({ scheme: 'v1a', key: publicKey }) as const);
  assert.equal(await verifyStandard(open, { id: 'm', timestamp: '1', signature: text }, body, { turn, compute }), true);
  assert.equal(turns, 5, 'while it is copied: keys are tried elsewhere');
});

test('times are digits alone, near enough in both directions', () => {
  const now = NOW * 1000;
  const fresh = [NOW, NOW - 300, NOW + 300].map(String);
  const stale = [...[NOW - 301, NOW + 301, 0].map(String), '', `${NOW}abc`, ` ${NOW}`, `${NOW}.0`, `+${NOW}`, '0x1'];
  for (const text of fresh) assert.equal(isFresh(text, now, 300), true, text);
  for (const text of stale) assert.equal(isFresh(text, now, 300), false, text);
});

test('texts are compared whole: wide characters are not their low bytes', () => {
  assert.equal(matchesAny(['a'], ['\u0161']), false);
  assert.equal(matchesAny(['abc'], ['ab', 'abcd', 'abc']), true);
  assert.equal(matchesAny([], ['']), false);
  assert.equal(isOneOfSecrets(['a', 'größer'], 'größer'), true);
  assert.equal(isOneOfSecrets(['a'], ''), false);
  assert.deepEqual(readBasic(basicHeader('user', 'pass:word')), { user: 'user', password: 'pass:word' });
  for (const text of ['', 'Basic', 'Basic %%', 'Bearer YTpi', `Basic ${Buffer.from('nocolon').toString('base64')}`]) {
    assert.equal(readBasic(text), undefined, text);
  }
});

test('tokens that jose signs verify by every algorithm, and by no other key or algorithm', async () => {
  const bounds = { issuer: 'me', audience: 'you', toleranceSeconds: 60 };
  for (const algorithm of tokenAlgorithms.filter((name) => !name.startsWith('HS'))) {
    const { publicKey, privateKey } = await generateKeyPair(algorithm);
    const other = await generateKeyPair(algorithm);
    const text = await new SignJWT({}).setProtectedHeader({ alg: algorithm, kid: 'a' }).setIssuer('me').setAudience(['you', 'x'])
      .setIssuedAt(NOW).setExpirationTime(NOW + 100).sign(privateKey); // prettier-ignore
    const token = readToken(text);
    assert.ok(token !== undefined, algorithm);
    const keys = readKeySet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a' }] }) ?? [];
    const wrong = readKeySet({ keys: [{ ...(await exportJWK(other.publicKey)), kid: 'a' }] }) ?? [];
    assert.equal(isSignedBy(token, keys, tokenAlgorithms), true, algorithm);
    assert.equal(isSignedBy(token, wrong, tokenAlgorithms), false, algorithm);
    assert.equal(
      isSignedBy(
        token,
        keys,
        tokenAlgorithms.filter((name) => name !== algorithm),
      ),
      false,
      algorithm,
    );
    assert.equal(areValid(token.claims, bounds, NOW * 1000), true);
  }
  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    const text = await new SignJWT({})
      .setProtectedHeader({ alg: algorithm })
      .setExpirationTime(NOW)
      .sign(Buffer.alloc(64, 1));
    const token = readToken(text);
    assert.ok(token !== undefined);
    assert.equal(isSignedBy(token, [sharedTokenKey(Buffer.alloc(64, 1).toString())], tokenAlgorithms), true);
  }
});

test('tokens that try to deceive', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const keys = readKeySet({ keys: [jwk] }) ?? [];
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = part({ exp: NOW + 100 });
  const good = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setExpirationTime(NOW + 100)
    .sign(privateKey);
  const [head = '', , signature = ''] = good.split('.');
  const signedByPublic = createHmac('sha256', JSON.stringify(jwk))
    .update(`${part({ alg: 'HS256' })}.${claims}`)
    .digest('base64url');
  const unread = [
    '', 'a.b', 'a.b.c.d', `${head}..${signature}`, `${part({ alg: 'none' })}.${claims}.`, `${head}.${claims}.!`,
    `${part({ alg: 'RS256', crit: ['x'] })}.${claims}.${signature}`, `${part([])}.${claims}.${signature}`,
    `${head}.${'A'.repeat(20_000)}.${signature}`,
  ]; // prettier-ignore
  for (const text of unread) assert.equal(readToken(text), undefined, text.slice(0, 60));
  for (const text of [
    `${part({ alg: 'none' })}.${claims}.AA`,
    `${part({ alg: 'HS256' })}.${claims}.${signedByPublic}`,
    `${part({ alg: 'ES256' })}.${claims}.${signature}`,
    `${part({ alg: 'toString' })}.${claims}.${signature}`,
    `${head}.${part({ exp: NOW + 9999 })}.${signature}`,
  ]) {
    const token = readToken(text);
    assert.ok(token !== undefined, text);
    assert.equal(isSignedBy(token, keys, tokenAlgorithms), false, text);
  }
  const digest = createHash('sha256').update('x').digest('base64url');
  for (const wrong of [{}, { keys: 1 }, null, 'x']) assert.equal(readKeySet(wrong), undefined);
  for (const key of [{}, { kty: 'oct', k: digest }, { kty: 'RSA', n: 'AA', e: 'AQAB' }, { ...jwk, use: 'enc' }, null]) {
    assert.deepEqual(readKeySet({ keys: [key] }), [], JSON.stringify(key));
  }
});

test('claims are looked at in both directions', () => {
  const bounds = { issuer: 'me', audience: 'you', toleranceSeconds: 60 };
  const good = { iss: 'me', aud: 'you', exp: NOW + 10 };
  const table: readonly (readonly [object, boolean])[] = [
    [good, true],
    [{ ...good, exp: NOW - 59 }, true],
    [{ ...good, exp: NOW - 60 }, false],
    [{ ...good, exp: undefined }, false],
    [{ ...good, exp: String(NOW + 10) }, false],
    [{ ...good, nbf: NOW + 60 }, true],
    [{ ...good, nbf: NOW + 61 }, false],
    [{ ...good, iat: NOW + 61 }, false],
    [{ ...good, iat: 'x' }, false],
    [{ ...good, iss: 'other' }, false],
    [{ ...good, aud: ['x'] }, false],
    [{ ...good, aud: undefined }, false],
  ];
  for (const [claims, isValid] of table) {
    assert.equal(areValid(claims as Record<string, unknown>, bounds, NOW * 1000), isValid, JSON.stringify(claims));
  }
});
