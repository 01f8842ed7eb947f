import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedCrash } from '../../../environments/simulated/index.ts';
import { limits } from '../limits.ts';
import { signed, stored, type Answer } from '../harness.fixture.ts';
import { MINUTE_MS, PullBench } from '../pull/pull-bench.fixture.ts';
import { HOOK, idOf } from '../pull/scripted-github.fixture.ts';

test('what nobody took comes in, once, the oldest first, over several pages', async () => {
  const bench = await new PullBench().open();
  const guids = bench.missed(7, 3600);
  bench.missed(1, 1800, { code: 200 });
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), guids.toSorted());
  assert.deepEqual(
    await stored(bench.node).then((records) => records.map(([key, data]) => data === `{"n":"${key}"}`)),
    guids.map(() => true),
  );
  const details = bench.github.paths.filter((path) => path.startsWith('/'));
  assert.deepEqual(
    details,
    guids.map((_, index) => `/${idOf(index)}`),
  );
  const { state, stored: count, repeated, refused, lost, missed, problem } = await bench.view();
  assert.deepEqual([state, count, repeated, refused, lost, missed, problem], ['waiting', 7, 0, 0, 0, 0, undefined]);
  const asked = bench.github.seen.length;
  await bench.pass(5 * MINUTE_MS);
  assert.equal(bench.github.seen.length, asked + 1, 'nothing new: the first page says enough');
  const { routes } = await bench.node.admin('GET', '/admin/routes');
  assert.equal(routes[0].accepted, 7);
  await bench.node.close();
});

test('a delivery that was taken in any attempt, or is here already, is not fetched', async () => {
  const bench = await new PullBench().open();
  bench.github.add(
    { guid: 'again-and-taken', at: bench.at(-900) },
    { guid: 'taken-and-again', at: bench.at(-800), code: 200 },
    { guid: 'here', at: bench.at(-700) },
    { guid: 'twice', at: bench.at(-600) },
    { guid: 'taken-and-again', at: bench.at(-500), redelivery: true },
    { guid: 'again-and-taken', at: bench.at(-400), redelivery: true, code: 202 },
    { guid: 'twice', at: bench.at(-300), redelivery: true },
  );
  await bench.node.post('/hook', signed('here', '{}'), '{}');
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), ['here', 'twice']);
  const { stored: count, repeated } = await bench.view();
  assert.deepEqual([count, repeated], [1, 1]);
  const { duplicate } = await bench.node.post('/hook', signed('twice', '{"late":1}'), '{"late":1}');
  assert.equal(duplicate, true, 'what GitHub sends again later is the same delivery');
  await bench.node.close();
});

test('GitHub’s limit of requests is waited for, and is nobody’s fault', async () => {
  for (const told of ['remaining', 'retry-after', '429'] as const) {
    const bench = await new PullBench().open();
    const guids = bench.missed(2, 600);
    const reset = String(Math.floor(bench.node.simulation.environment.clock.now() / 1000) + 1800);
    if (told === 'remaining') bench.github.headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    else
      bench.github.refusals.push({
        status: told === '429' ? 429 : 403,
        headers: told === '429' ? {} : { 'retry-after': '1800' },
      });
    await bench.pass(20_000);
    assert.equal(bench.github.seen.length, 1, told);
    assert.match((await bench.view()).problem, /GitHub takes no more requests of this token for now/);
    assert.equal(bench.problems, '');
    bench.github.headers = {};
    await bench.pass(told === '429' ? 2 * MINUTE_MS : 25 * MINUTE_MS);
    assert.equal(bench.github.seen.length > 1, told === '429', told);
    await bench.pass(10 * MINUTE_MS);
    assert.deepEqual(await bench.ids(), guids.toSorted(), told);
    assert.equal((await bench.view()).problem, undefined);
    await bench.node.close();
  }
});

test('a server that is away, a wrong token, a hook that is not there: shown, tried again later, and healthy again', async () => {
  const rows = [
    [{ fails: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    [{ status: 500 }, 'status 500'],
    [{ status: 401 }, '401: GitHub does not take the token'],
    [{ status: 403 }, '403: the token may not read the hook, or GitHub takes no more requests for now'],
    [{ status: 404 }, '404: there is no such hook, or the token may not see it'],
    [{ body: '{}' }, 'what came is no list of deliveries'],
    [{ body: '[{"id":1' }, 'what came is no list of deliveries'],
    [{ body: ' '.repeat(limits.pullPageBytesMax + 1) }, 'a page of deliveries is too large'],
    [{ status: 302, headers: { location: 'https://elsewhere.example/x' } }, '302: leads to another server'],
  ] as const;
  for (const [refusal, problem] of rows) {
    const bench = await new PullBench().open();
    const guids = bench.missed(1, 600);
    for (let index = 0; index < 4; index += 1) bench.github.refusals.push(refusal);
    await bench.pass(2000);
    assert.equal((await bench.view()).problem, problem);
    assert.equal(bench.problems, '', 'once is no reason');
    await bench.pass(3 * MINUTE_MS);
    // What is refused is asked a minute later at the soonest, what is away after seconds.
    assert.equal(bench.problems.includes(problem), /^40\d/.test(problem), problem);
    await bench.pass(30 * MINUTE_MS);
    assert.deepEqual(await bench.ids(), guids, problem);
    assert.equal(bench.problems, '');
    const servers = new Set(bench.github.seen.map(({ url }) => new URL(url).host));
    assert.deepEqual([...servers], ['api.github.com'], 'the token goes to no other server');
    await bench.node.close();
  }
});

test('a repository that was renamed is followed', async () => {
  const bench = await new PullBench().open();
  const guids = bench.missed(1, 600);
  bench.github.refusals.push({ status: 301, headers: { location: `${HOOK}/deliveries?per_page=100` } });
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), guids);
  await bench.node.close();
});

test('a link that names another server leads to no other server', async () => {
  const bench = await new PullBench().open();
  bench.github.refusals.push({ body: '[]', headers: { link: '<https://elsewhere.example/?cursor=v1_0>; rel="next"' } });
  const guids = bench.missed(2, 600);
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), guids.toSorted());
  assert.ok(bench.github.seen.every(({ url }) => url.startsWith(HOOK)));
  await bench.node.close();
});

test('what GitHub lost, and what the route does not take, is told and passed by', async () => {
  const bench = await new PullBench().open({ bodyBytesMax: 100 });
  bench.github.add(
    { guid: 'gone', at: bench.at(-50), isGone: true },
    { guid: 'empty', at: bench.at(-40), payload: 'null' },
    { guid: 'large', at: bench.at(-30), payload: JSON.stringify({ a: 'x'.repeat(100) }) },
    { guid: 'huge', at: bench.at(-25), payload: JSON.stringify({ a: 'x'.repeat(2_000_000) }) },
    { guid: 'fine', at: bench.at(-20) },
  );
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), ['fine']);
  const { requests } = await bench.node.admin('GET', '/admin/requests', {}, { outcome: 'refused' });
  assert.deepEqual(
    requests.map((one: Answer) => [
      one.deliveryId,
      one.code,
      one.status,
      one.headers['x-millrace-pulled-by'],
      one.bytes,
    ]),
    [
      ['huge', 'RequestEntityTooLarge', 413, 'wheel', 0],
      ['large', 'RequestEntityTooLarge', 413, 'wheel', 108],
    ],
  );
  const { stored: count, refused, lost, settledTo } = await bench.view();
  assert.deepEqual([count, refused, lost], [1, 2, 2]);
  assert.equal(settledTo, bench.at(-25));
  const asked = bench.github.seen.length;
  await bench.pass(5 * MINUTE_MS);
  assert.equal(bench.github.seen.length, asked + 2, 'the list alone');
  const told = bench.node.simulation.logged.filter(({ event }) => event.startsWith('gateway.pulled-'));
  assert.deepEqual(
    told.map(({ event, fields }) => [event, fields?.['deliveryId'], fields?.['code']]),
    [
      ['gateway.pulled-lost', 'gone', undefined],
      ['gateway.pulled-lost', 'empty', undefined],
      ['gateway.pulled-refused', 'large', 'RequestEntityTooLarge'],
      ['gateway.pulled-refused', 'huge', 'RequestEntityTooLarge'],
    ],
  );
  await bench.node.close();
});

test('a token that loses its right in the middle loses no delivery', async () => {
  const bench = await new PullBench().open();
  const guids = bench.missed(2, 60);
  bench.github.blindAfter = 1;
  await bench.pass(5000);
  assert.match((await bench.view()).problem, /^404: there is no such hook/);
  assert.equal((await bench.view()).lost, 0);
  bench.github.blindAfter = Infinity;
  await bench.pass(5 * MINUTE_MS);
  assert.deepEqual(await bench.ids(), guids.toSorted());
  await bench.node.close();
});

test('a list that is too large where GitHub was asked whether the hook is there passes no delivery by', async () => {
  const bench = await new PullBench().open();
  const guids = bench.missed(1, 60);
  const [id, guid, at] = [idOf(0), guids[0], bench.at(-60)];
  const list = `[{"id":${id},"guid":"${guid}","delivered_at":"${at}","redelivery":false,"status_code":502}]`;
  bench.github.refusals.push({ body: list }, { status: 404 }, { body: ' '.repeat(limits.pullPageBytesMax + 1) });
  await bench.pass(5 * MINUTE_MS);
  const { stored: count, refused, lost } = await bench.view();
  assert.deepEqual([await bench.ids(), count, refused, lost], [guids, 1, 0, 0]);
  await bench.node.close();
});

test('a time that is to come hides nothing that is missed before it', async () => {
  const bench = await new PullBench().open();
  bench.github.add({ guid: 'early', at: '9999-01-01T00:00:00Z' });
  await bench.pass(5000);
  const guids = [...bench.missed(1, 1)];
  await bench.pass(5 * MINUTE_MS);
  await bench.node.close();
  await bench.open();
  guids.push(...bench.missed(1, 2));
  await bench.pass(5 * MINUTE_MS);
  assert.deepEqual(await bench.ids(), ['early', ...guids].toSorted());
  assert.equal((await bench.view()).stored, 1);
  await bench.node.close();
});

test('of times that are to come only some are remembered as settled, and the others are told', async () => {
  const bench = await new PullBench().open();
  bench.github.pageSize = 100;
  const guids = Array.from({ length: limits.pullAheadMax + 50 }, (_, index) => `early-${index}`);
  bench.github.add(...guids.map((guid) => ({ guid, at: '9999-01-01T00:00:00Z' })));
  await bench.pass(5000);
  assert.deepEqual([(await bench.view()).stored, (await bench.view()).repeated], [guids.length, 0]);
  const told = bench.node.simulation.logged.filter(({ event }) => event === 'gateway.pull-ahead');
  assert.deepEqual(
    told.map(({ fields }) => [fields?.['count'], Number(fields?.['aheadMs']) > 1e12]),
    [[50, true]],
  );
  await bench.pass(5 * MINUTE_MS);
  assert.deepEqual(
    [(await bench.view()).stored, (await bench.view()).repeated],
    [guids.length, 50],
    'known by their ids',
  );
  await bench.node.close();
});

test('pages that lead in a circle are not walked for ever', async () => {
  for (const circle of [['b'], ['b', 'c'], ['b', 'c', 'd', 'e', 'f', 'g', 'h']]) {
    const bench = await new PullBench().open();
    const guids = bench.missed(2, 600);
    const links = Array.from({ length: 60 }, (_, index) => circle[index % circle.length]);
    bench.github.refusals.push(
      ...links.map((cursor) => ({
        body: '[]',
        headers: { link: `<${HOOK}/deliveries?cursor=${cursor}>; rel="next"` },
      })),
    );
    await bench.pass(5000);
    const asked = bench.github.seen.length;
    assert.ok(asked <= 4 * circle.length, `${asked} pages`);
    bench.github.refusals.length = 0;
    await bench.pass(5 * MINUTE_MS);
    assert.deepEqual(await bench.ids(), guids.toSorted());
    await bench.node.close();
  }
});

test('paused it asks nothing, also after a restart; it goes on where it stopped', async () => {
  const bench = await new PullBench().open();
  bench.missed(1, 600);
  await bench.pass(5000);
  assert.equal((await bench.change('pause')).state, 'paused');
  await bench.node.close();
  const asked = bench.github.seen.length;
  await bench.open();
  bench.missed(1, 300);
  await bench.pass(10 * MINUTE_MS);
  assert.equal(bench.github.seen.length, asked);
  await bench.change('resume');
  await bench.pass(5000);
  assert.deepEqual(await bench.ids(), ['guid-300-0', 'guid-600-0']);
  const { repeated, stored: count } = await bench.view();
  assert.deepEqual([repeated, count], [1, 1], 'the newest one before is met again, and known');
  await bench.node.close();
});

test('a look can be asked for, and so can how often', async () => {
  const bench = await new PullBench().open({}, { everySeconds: 3600 });
  await bench.pass(30 * MINUTE_MS);
  assert.equal(bench.github.seen.length, 1);
  const guids = bench.missed(1, 60);
  await bench.change('look');
  await bench.pass(2000);
  assert.deepEqual(await bench.ids(), guids);
  await bench.node.close();
});

test('a hook that left the file keeps its position, and another hook of that name has none', async () => {
  const bench = await new PullBench().open();
  bench.missed(1, 600);
  await bench.pass(5000);
  const { settledTo } = await bench.view();
  await bench.node.simulation.drive(bench.node.node.reload({ gateway: {} }));
  const gone = await bench.view();
  assert.deepEqual(
    [gone.state, gone.managed, gone.settledTo, gone.route],
    ['stopped', 'unmanaged', settledTo, undefined],
  );
  await bench.node.close();
  await bench.open({}, { hooks: { wheel: 'https://api.github.com/orgs/mill-works/hooks/12' } });
  assert.equal((await bench.view()).settledTo, undefined);
  await bench.node.close();
});

test('a drain takes no longer than it may, whether it waits for what is pulled or for what is sent', async () => {
  const bench = await new PullBench().open({ largeBody: { claimCheck: 'large' } });
  const { simulation, s3 } = bench.node;
  s3.script = () => ({ takesMs: 20_000 });
  const body = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
  bench.missed(1, 600, { payload: body });
  const sent = bench.node.gateway('/hook', signed('sent', body), body);
  await bench.pass(5000);
  assert.deepEqual([s3.calls.length, (await bench.view()).missed], [2, 1], 'both wait for their bucket');
  const { clock } = simulation.environment;
  const begunAt = clock.monotonic();
  await simulation.drive(bench.node.node.drain(1000));
  const took = clock.monotonic() - begunAt;
  assert.ok(took >= 1000 && took < 1100, `${took} ms`);
  assert.equal((await simulation.drive(sent)).status, 200);
  await bench.node.close();
});

test('killed anywhere, again and again, nothing is lost and nothing is doubled', async () => {
  let [repeated, lives] = [0, 0];
  for (let seed = 1; seed <= 6; seed += 1) {
    const bench = new PullBench(seed);
    const { simulation } = bench.node;
    const guids: string[] = [];
    for (let life = 0; life < 4; life += 1) {
      guids.push(...Array.from({ length: 8 }, (_, index) => `guid-${life}-${index}`));
      bench.github.add(...guids.slice(-8).map((guid, index) => ({ guid, at: bench.at(index - 20) })));
      try {
        simulation.crashAfterFileOperations(10 + simulation.random.below(60));
        await bench.open();
        await bench.pass(2 * MINUTE_MS);
        simulation.crash();
      } catch (error) {
        if (!(error instanceof SimulatedCrash)) throw error;
        lives += 1;
      }
      simulation.restart();
    }
    await bench.open();
    await bench.pass(MINUTE_MS);
    assert.deepEqual(await bench.ids(), guids.toSorted(), `seed ${seed}`);
    repeated += (await bench.view()).repeated;
    await bench.node.close();
  }
  assert.ok(lives > 6, `crashes in the middle: ${lives}`);
  assert.ok(repeated > 0, `some were met again: ${repeated}`);
});
