import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench, oneRoute, signed, stored } from '../harness.fixture.ts';
import { BODY, redeliver, sendAs } from '../requests.fixture.ts';
import type { ScriptedAnswer, SeenRequest } from '../../../testing/scripted-http.ts';

function withTargets(url = 'https://other.example/hook'): Readonly<Record<string, unknown>> {
  const sections = oneRoute();
  const redeliverTo = { other: { url, sign: { github: { secrets: ['theirs'] } } }, plain: { url } };
  return { ...sections, gateway: { ...(sections['gateway'] as object), redeliverTo } };
}

test('a request goes to a server of the file, signed anew and without what was masked', async () => {
  const seen: SeenRequest[] = [];
  const servers = (request: SeenRequest): ScriptedAnswer => {
    seen.push(request);
    return { status: 202, body: 'thanks' };
  };
  const bench = await new NodeBench(1, { servers }).open(withTargets());
  await sendAs(bench, 'r-1', 'd-1', { authorization: 'Bearer hidden', host: 'here', 'x-api-token': 'hidden' });
  const told = await redeliver(bench, 'r-1', { target: 'other' });
  assert.deepEqual([told.outcome, told.status, told.answer], ['sent', 202, 'thanks']);
  const [{ url, method, headers, body } = assert.fail()] = seen;
  assert.deepEqual([url, method, String(body)], ['https://other.example/hook', 'POST', BODY]);
  const theirs = signed('d-1', BODY, 'theirs');
  for (const [name, value] of Object.entries(theirs)) assert.equal(headers[name], value, name);
  assert.equal(headers['x-millrace-redelivery-of'], 'r-1');
  for (const name of ['authorization', 'host', 'x-api-token']) assert.equal(headers[name], undefined, name);
  await redeliver(bench, 'r-1', { target: 'plain' });
  assert.equal(seen[1]?.headers['x-hub-signature-256'], undefined);
  assert.equal((await stored(bench)).length, 1, 'nothing more was stored');
});

test('what does not arrive there', async () => {
  let answer: ScriptedAnswer = { status: 500, body: 'x'.repeat(10_000) };
  const bench = await new NodeBench(1, { servers: () => answer }).open(withTargets());
  await sendAs(bench, 'r-1', 'd-1');
  await sendAs(bench, 'r-2', 'd-2', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` });
  const failed = await redeliver(bench, 'r-1', { target: 'other' });
  assert.deepEqual(
    [failed.outcome, failed.code, failed.status, failed.answer.length],
    ['refused', 'Status', 500, 4096],
  );
  answer = { fails: 'ECONNREFUSED' };
  assert.equal((await redeliver(bench, 'r-1', { target: 'other' })).code, 'ECONNREFUSED');
  answer = { takesMs: 60_000 };
  assert.equal((await redeliver(bench, 'r-1', { target: 'other' })).code, 'ETIMEDOUT');
  assert.equal((await redeliver(bench, 'r-1', { target: 'other', dryRun: 'true' })).outcome, 'ready');
  await assert.rejects(redeliver(bench, 'r-1', { target: 'unknown' }), { code: 'NotFound' });
  await assert.rejects(redeliver(bench, 'r-2', { target: 'other' }), { code: 'NotAccepted' });
});

test('targets that are none are refused before the start', async () => {
  for (const url of ['other', 'ftp://other.example', 'https://user:password@other.example'])
    await assert.rejects(new NodeBench().open(withTargets(url)), { code: 'InvalidConfig' }, url);
});
