import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { areas, runConformance, type ConformanceReport } from './index.ts';
import { reportText } from './report.ts';

const all = areas.flatMap(({ title, checks }) => checks.map(({ name }) => `${title}: ${name}`));

/** Runs all checks against an endpoint that gives one answer to everything. */
async function against(status: number, body: string): Promise<ConformanceReport> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'text/plain' }).end(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await runConformance({ url: `http://127.0.0.1:${port}`, waitMs: 1 });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  }
}

function passed({ results }: ConformanceReport): string[] {
  return results.filter(({ failure }) => failure === undefined).map(({ area, name }) => `${area}: ${name}`);
}

test('the names of checks are their own', () => {
  assert.equal(new Set(all).size, all.length);
});

test('no check passes at an endpoint that says yes to everything', async () => {
  const report = await against(200, '{}');
  assert.equal(report.results.length, all.length);
  assert.deepEqual(passed(report), []);
  assert.deepEqual(report.left, []);
});

test('no check passes at an endpoint that says no to everything, or is at its end', async () => {
  const refusing = await against(400, '{"__type":"SomethingException","message":""}');
  assert.deepEqual(passed(refusing), []);
  assert.deepEqual(passed(await against(500, '')), []);
});

test('nobody there: everything fails at once, and the streams that could not be deleted are named', async () => {
  const report = await runConformance({ url: 'http://127.0.0.1:1', waitMs: 1, only: 'wire' });
  assert.deepEqual(passed(report), []);
  assert.match(report.results[0]?.failure ?? '', /ECONNREFUSED|bad port/);
  assert.match(report.left.join(), /^conformance-/);
  await assert.rejects(runConformance({ url: 'nowhere' }), TypeError);
});

test('a check that is not begun in time has failed', async () => {
  const heard: string[] = [];
  const report = await runConformance({
    url: 'http://127.0.0.1:1',
    withinMs: -1,
    onResult: ({ name }) => void heard.push(name),
  });
  assert.equal(heard.length, all.length);
  assert.ok(report.results.every(({ failure }) => failure === 'not run: the time is up'));
});

test('the report: what failed and why, a row for each area, the sum', () => {
  const results = [
    { area: 'wire', name: 'one' },
    { area: 'wire', name: 'two', failure: 'it was not so' },
    { area: 'lists and filters', name: 'three' },
  ];
  assert.equal(
    reportText({ results, left: ['conformance-x'] }),
    [
      'FAILED wire: two',
      '       it was not so',
      '',
      'area               passed  failed',
      'wire                    1       1',
      'lists and filters       1       0',
      '',
      'not deleted: stream conformance-x',
      '2 passed, 1 failed',
      '',
    ].join('\n'),
  );
});
