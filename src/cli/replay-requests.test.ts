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

test('replay of a route needs a time, and takes no words of deliveries', async () => {
  for (const args of [
    ['replay', 'POST /hook'],
    ['replay', ID, '--errors'],
    ['replay', ID, '--to-delivery', 'd'],
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
