import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, type Sent } from './cli.fixture.ts';

const ID = '0b2f5f9e-6d0e-4a34-9a3d-9c2e5a6b7c8d';

test('replay of a request says what became of it', async () => {
  const replies = {
    [`POST /admin/requests/${ID}/redeliver`]: ({ url }: Sent) => ({ id: ID, outcome: url.split(/[?&]/)[1] }),
  };
  assert.equal((await millrace(['replay', ID], { replies })).out, `${ID} again=false\n`);
  assert.equal((await millrace(['replay', ID, '--again'], { replies })).out, `${ID} again=true\n`);
  const byNumber = { 'POST /admin/requests/17/redeliver': () => ({ id: ID, outcome: 'duplicate' }) };
  assert.equal((await millrace(['replay', '17'], { replies: byNumber })).out, `${ID} duplicate\n`);
});

test('replay of a route goes on page by page, and ends badly when something was refused', async () => {
  const queries: (string | null)[][] = [];
  const replies = {
    'POST /admin/requests/redeliver': ({ url }: Sent) => {
      const { searchParams: query } = new URL(url);
      queries.push(['route', 'from', 'again', 'dryRun', 'after'].map((name) => query.get(name)));
      if (query.get('after') === '7') return { results: [{ id: 'b', outcome: 'refused', code: 'NotFound' }] };
      return { results: [{ id: 'a', outcome: 'accepted' }], next: '7' };
    },
  };
  const ended = await millrace(['replay', 'POST /hook', '--from', '2026-01-31', '--again'], { replies });
  assert.deepEqual([ended.code, ended.out], [1, 'a accepted\nb refused NotFound\n']);
  assert.deepEqual(queries, [
    ['POST /hook', '2026-01-31', 'true', 'false', null],
    ['POST /hook', '2026-01-31', 'true', 'false', '7'],
  ]);
});

test('replay of a route ends where the node gets no further', async () => {
  let calls = 0;
  const replies = {
    'POST /admin/requests/redeliver': () => {
      calls += 1;
      assert.ok(calls < 100, 'it asks for ever');
      return calls === 1 ? { results: [{ id: 'a', outcome: 'accepted' }], next: '7' } : { results: [], next: '7' };
    },
  };
  const ended = await millrace(['replay', 'POST /hook', '--from', '2026-01-31'], { replies });
  assert.deepEqual([ended.code, ended.out], [1, 'a accepted\n7 refused ServiceUnavailable\n']);
});

test('replay of a route needs a time, and takes no words of deliveries', async () => {
  for (const args of [
    ['replay', 'POST /hook'],
    ['replay', ID, '--errors'],
    ['replay', ID, '--to-delivery', 'd', '--again'],
    ['replay', 'POST /hook', '--to-delivery', 'd'],
  ]) {
    assert.equal((await millrace(args)).code, 2, args.join(' '));
  }
});

test('rate, target and a dry run are the node’s to carry out', async () => {
  const seen: string[] = [];
  const path = `POST /admin/requests/${ID}/redeliver`;
  const replies = { [path]: ({ url }: Sent) => (seen.push(new URL(url).search), { id: ID, outcome: 'ready' }) };
  const told = await millrace(['replay', ID, '--dry-run', '--rate', '5', '--to-target', 'b'], { replies });
  assert.equal(told.out, `${ID} ready\n`);
  assert.deepEqual(seen, ['?again=false&dryRun=true&rate=5&target=b']);
});

test('to a delivery go the records that requests became, those of a window page by page', async () => {
  const asked: unknown[] = [];
  const record = (stream: string, sequenceNumber: string): object => ({ id: 'x', stream, sequenceNumber });
  const replies = {
    [`GET /admin/requests/${ID}`]: () => record('events', '1'),
    'GET /admin/requests': ({ url }: Sent) => {
      const { searchParams: query } = new URL(url);
      if (query.get('before') === '7') return { requests: [record('events', '2'), { id: 'y' }] };
      return { requests: [{ ...record('events', '5'), redeliveryOf: 'x' }, record('events', '3')], next: '7' };
    },
    'POST /admin/deliveries/d/replay': ({ url, body }: Sent) => {
      asked.push([new URL(url).search, JSON.parse(body.toString())]);
      return { id: 'r', delivery: 'd', stream: 'events', records: 1 };
    },
    'GET /admin/deliveries/d/replays/r': () => ({ state: 'done', recordsDelivered: 1, recordsFailed: 0 }),
  };
  const one = await millrace(['replay', ID, '--to-delivery', 'd'], { replies });
  assert.deepEqual([one.code, one.out], [0, '1 delivered, 0 failed\n']);
  const window = ['replay', 'POST /hook', '--from', '2026-01-31', '--to-delivery', 'd', '--dry-run'];
  assert.equal((await millrace(window, { replies })).code, 0);
  assert.deepEqual(asked, [
    ['?stream=events&dryRun=false', { sequenceNumbers: ['1'] }],
    ['?stream=events&dryRun=true', { sequenceNumbers: ['2', '3'] }],
  ]);
});

test('a request that became many records is not taken for its last one', async () => {
  const entry = { id: ID, outcome: 'accepted', stream: 'events', sequenceNumber: '9', records: 3 };
  const replies = { [`GET /admin/requests/${ID}`]: () => entry };
  const ended = await millrace(['replay', ID, '--to-delivery', 'd'], { replies });
  assert.equal(ended.code, 1);
  assert.match(ended.err, /became 3 records of events: replay the stream with --from and --to/);
});

test('a request that became no record goes to no delivery', async () => {
  const replies = { [`GET /admin/requests/${ID}`]: () => ({ id: ID, outcome: 'answered' }) };
  const ended = await millrace(['replay', ID, '--to-delivery', 'd'], { replies });
  assert.deepEqual([ended.code, ended.err.includes('none of these requests became a record')], [1, true]);
});
