import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import type { HttpScript, ScriptedAnswer } from '../../../testing/scripted-http.ts';
import { ask, NodeBench } from '../harness.fixture.ts';

const URL = 'http://127.0.0.1:9/keys';

interface Issuer {
  readonly jwk: object;
  token(nowMs: number, kid?: string): string;
}

function issuer(kid: string): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid },
    token: (nowMs, named = kid) => tokenOf(privateKey, named, nowMs),
  };
}

function tokenOf(key: KeyObject, kid: string, nowMs: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', kid })}.${part({ exp: nowMs / 1000 + 1e7, sub: 'me' })}`;
  return `Bearer ${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

interface Opened {
  readonly bench: NodeBench;
  readonly asked: string[];
  readonly send: (authorization: string) => Promise<number>;
}

async function open(answers: () => ScriptedAnswer): Promise<Opened> {
  const asked: string[] = [];
  const servers: HttpScript = ({ url }) => {
    asked.push(url);
    return answers();
  };
  const bench = new NodeBench(1, { servers });
  const routes = { 'POST /hook': { verify: { jwt: { jwks: URL } }, to: 'hooks' } };
  await bench.open({ streams: { hooks: { ShardCount: 2 } }, gateway: { routes } });
  return {
    bench,
    asked,
    send: async (authorization) => {
      const headers = { 'content-type': 'application/json', authorization };
      return (await ask(bench, { path: '/hook', headers, body: '{}' })).status;
    },
  };
}

function keysOf(...issuers: readonly Issuer[]): ScriptedAnswer {
  return { body: JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) }) };
}

test('keys are asked for once, again for a name that is new, and never often', async () => {
  const [first, second, stranger] = [issuer('a'), issuer('b'), issuer('a')];
  let answer = keysOf(first);
  const { bench, asked, send } = await open(() => answer);
  const now = bench.simulation.environment.clock.now();
  assert.deepEqual(
    [await send(first.token(now)), await send(first.token(now)), await send(stranger.token(now))],
    [200, 200, 401],
  );
  assert.equal(asked.length, 1);
  answer = keysOf(first, second);
  assert.equal(await send(second.token(now)), 503, 'asked for a moment ago: it may be a new key');
  await bench.simulation.pass(31_000);
  assert.equal(await send(second.token(now)), 200);
  for (let index = 0; index < 20; index += 1) assert.equal(await send(stranger.token(now, `made up ${index}`)), 503);
  assert.equal(asked.length, 2);
  await bench.simulation.pass(31_000);
  assert.equal(await send(stranger.token(now, 'made up')), 401, 'it was asked about');
  answer = { fails: 'ECONNREFUSED' };
  await bench.simulation.pass(31_000);
  assert.deepEqual([await send(issuer('c').token(now)), await send(second.token(now))], [503, 200]);
});

test('while keys cannot be had, the last ones are good for a day, and without any senders come again', async () => {
  const one = issuer('a');
  let answer: ScriptedAnswer = { fails: 'ECONNREFUSED' };
  const { bench, send } = await open(() => answer);
  const now = bench.simulation.environment.clock.now();
  assert.equal(await send(one.token(now)), 503);
  for (const broken of [
    { status: 500 },
    { body: '{' },
    { body: '{}' },
    { takesMs: 6000 },
    { body: 'x'.repeat(2e6) },
  ] as const) {
    answer = broken;
    await bench.simulation.pass(31_000);
    assert.equal(await send(one.token(now)), 503, JSON.stringify(broken).slice(0, 40));
  }
  answer = keysOf(one);
  await bench.simulation.pass(31_000);
  assert.equal(await send(one.token(now)), 200);
  answer = { fails: 'ECONNRESET' };
  await bench.simulation.pass(23 * 3_600_000);
  assert.equal(await send(one.token(now)), 200);
  await bench.simulation.pass(2 * 3_600_000);
  assert.equal(await send(one.token(now)), 503);
});

test('what cannot verify causes no request', async () => {
  const { bench, asked, send } = await open(() => keysOf(issuer('a')));
  const now = bench.simulation.environment.clock.now();
  const over = issuer('a').token(now - 2e10);
  for (const authorization of ['', 'Bearer x', over]) assert.equal(await send(authorization), 401);
  assert.deepEqual(asked, []);
});
