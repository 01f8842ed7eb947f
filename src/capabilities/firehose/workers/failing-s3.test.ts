import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError, EnvironmentError } from '../../../kernel/errors.ts';
import type { S3Call, S3Fate, S3Script } from '../../../testing/scripted-s3.ts';
import { base64, Bench, toBucket, type Answer } from '../harness.fixture.ts';

const MINUTE = 60_000;
/** Of these an object holds ten, and is an upload in two parts. */
const LARGE = 1_000_000;

function sections(seconds = 1, more: object = {}): Record<string, unknown> {
  const hints = { SizeInMBs: 64, IntervalInSeconds: seconds };
  const target = { ...toBucket('archive').ExtendedS3DestinationConfiguration, BufferingHints: hints, ...more };
  return {
    streams: { s: { ShardCount: 2 } },
    deliveries: { d: { from: 's', ExtendedS3DestinationConfiguration: target } },
  };
}

/** A node whose buckets are in an S3 of the script. */
async function opened(script: S3Script, given = sections()): Promise<Bench> {
  const bench = new Bench(1, { hasS3: true });
  bench.s3.script = script;
  return await bench.open(given);
}

async function put(bench: Bench, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const record = { StreamName: 's', PartitionKey: text.slice(0, 20), Data: base64(text) };
    await bench.call('Kinesis_20131202.PutRecord', record);
  }
}

async function status(bench: Bench): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
}

/** The records of all objects of a bucket, in any order; texts end with a semicolon. */
function delivered(bench: Bench, bucket = 'archive'): string[] {
  const objects = [...bench.s3.objects].filter(([path]) => path.startsWith(`${bucket}/`));
  const texts = objects.flatMap(([, bytes]) => String(bytes).split(';').slice(0, -1));
  return texts.map((text) => text.trimEnd()).sort();
}

function fails(code: string, retryable = true): S3Fate {
  return { fails: new DeliveryError(`S3.${code}`, `said ${code}`, retryable) };
}

function small(count: number, name = 'r'): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(3, '0')}`);
}

function sized(texts: readonly string[]): string[] {
  return texts.map((text) => `${text.padEnd(LARGE)};`);
}

/** Failed attempts as they stand in the log. */
function told(bench: Bench): readonly string[] {
  return bench.simulation.logged
    .filter(({ event }) => event === 'delivery.failed')
    .map(({ fields }) => JSON.stringify(fields));
}

interface Trouble {
  readonly name: string;
  /** While there is trouble. */
  readonly script: S3Script;
  readonly code: string;
}

const TROUBLES: readonly Trouble[] = [
  { name: 'a storm of 503', script: () => fails('SlowDown'), code: 'S3.SlowDown' },
  { name: 'credentials that expired', script: () => fails('ExpiredToken'), code: 'S3.ExpiredToken' },
  { name: 'keys that nobody knows', script: () => fails('InvalidAccessKeyId', false), code: 'S3.InvalidAccessKeyId' },
  { name: 'a bucket that comes late', script: () => fails('NoSuchBucket', false), code: 'S3.NoSuchBucket' },
  { name: 'a permission that is missing', script: () => fails('AccessDenied', false), code: 'S3.AccessDenied' },
];

for (const { name, script, code } of TROUBLES) {
  test(`${name}: told, waited for ever longer, and over it everything arrives once`, async () => {
    const bench = await opened(script);
    await put(
      bench,
      small(20).map((text) => `${text};`),
    );
    await bench.simulation.pass(10 * MINUTE);
    const { state, failure, attempts, nextAttemptInMs } = await status(bench);
    assert.deepEqual([state, failure], ['retrying', `said ${code.slice(3)}`]);
    assert.deepEqual([attempts[0].outcome, attempts[0].code], ['failed', code]);
    assert.ok(nextAttemptInMs > 0 && nextAttemptInMs <= MINUTE, String(nextAttemptInMs));
    assert.deepEqual(bench.node.health().problems, [`delivery d: said ${code.slice(3)}`]);
    // 1, 2, 4 ... 60 s, each up to half shorter.
    const asked = bench.s3.calls.length;
    assert.ok(asked >= 12 && asked <= 26, `${asked} requests in ten minutes`);
    assert.equal(told(bench).length, asked);
    assert.match(told(bench)[0] ?? '', new RegExp(`said ${code.slice(3)}`));
    await put(
      bench,
      small(20, 'later').map((text) => `${text};`),
    );
    bench.s3.script = () => undefined;
    await bench.simulation.pass(2 * MINUTE);
    assert.deepEqual(delivered(bench), [...small(20, 'later'), ...small(20)]);
    assert.equal((await status(bench)).state, 'active');
    assert.deepEqual(bench.node.health().problems, []);
    await bench.close();
  });
}

/** Fails the first requests of a kind that the rule names, each once. */
function onceEach(fates: Readonly<Partial<Record<string, S3Fate>>>): S3Script {
  const left = new Map(Object.entries(fates));
  const counts = new Map<string, number>();
  return ({ action }: S3Call) => {
    const count = (counts.get(action) ?? 0) + 1;
    counts.set(action, count);
    const word = `${action} ${count}`;
    const fate = left.get(word);
    left.delete(word);
    return fate;
  };
}

const RESET: S3Fate = {
  fails: new DeliveryError('S3.ECONNRESET', 'reset', true, new EnvironmentError('ECONNRESET', 'reset')),
};

const HALVES: readonly (readonly [name: string, fates: Readonly<Record<string, S3Fate>>])[] = [
  ['no upload begins', { 'begin 1': fails('InternalError') }],
  ['the begin of an upload has no answer', { 'begin 1': { ...RESET, arrives: true } }],
  ['the first part fails', { 'part 1': RESET }],
  ['the second part fails, and the giving up too', { 'part 2': fails('SlowDown'), 'abandon 1': fails('SlowDown') }],
  ['the end of an upload fails', { 'complete 1': fails('InternalError') }],
  ['the end of an upload has no answer', { 'complete 1': { ...RESET, arrives: true } }],
  ['each step fails once', { 'begin 1': RESET, 'part 1': RESET, 'part 3': RESET, 'complete 1': RESET }],
];

for (const [name, fates] of HALVES) {
  test(`an object in parts where ${name} stands there whole, and once`, async () => {
    const bench = await opened(onceEach(fates));
    const texts = small(10);
    await put(bench, sized(texts));
    await bench.simulation.pass(5 * MINUTE);
    assert.deepEqual(delivered(bench), texts);
    assert.equal(bench.s3.objects.size, 1);
    // Of what has no answer nobody knows the name, and what cannot be given up stays: both go by the bucket's own rule.
    const isLeft = fates['begin 1']?.arrives === true || fates['abandon 1'] !== undefined;
    assert.equal(bench.s3.uploads.size, isLeft ? 1 : 0);
    const { attempts, possibleDuplicates } = await status(bench);
    assert.equal(attempts[0].outcome, 'delivered');
    assert.ok(attempts.length > 1, 'it had failed before');
    assert.equal(possibleDuplicates ?? 0, 0, 'the same key is the same object');
    await bench.close();
  });
}

test('a put whose answer was lost is not stored twice, and a power cut at any moment of an upload neither', async () => {
  const lost = await opened(onceEach({ 'put 1': { ...RESET, arrives: true } }));
  await put(lost, ['a;', 'b;']);
  await lost.simulation.pass(MINUTE);
  assert.deepEqual([delivered(lost), lost.s3.objects.size], [['a', 'b'], 1]);
  await lost.close();
  // An upload of two parts takes four requests of two seconds each.
  for (let cutMs = 500; cutMs < 9000; cutMs += 1000) {
    const bench = await opened(() => ({ takesMs: 2000 }));
    await put(bench, sized(small(10)));
    for (let waited = 0; bench.s3.calls.length === 0 && waited < 100; waited += 1) await bench.simulation.pass(100);
    await bench.simulation.pass(cutMs);
    bench.simulation.crash();
    bench.simulation.restart();
    await bench.open(sections());
    await bench.simulation.pass(MINUTE);
    assert.deepEqual(delivered(bench), small(10), `cut after ${cutMs} ms`);
    assert.equal(bench.s3.objects.size, 1, `cut after ${cutMs} ms`);
    await bench.close();
  }
});

test('a slow S3 delays no put, gathers what comes meanwhile, and a pause waits for five seconds of it', async () => {
  const bench = await opened(() => ({ takesMs: 30_000 }));
  const { clock } = bench.simulation.environment;
  await put(bench, ['first;']);
  await bench.simulation.pass(3000);
  assert.equal(bench.s3.calls.length, 1);
  const startedAt = clock.now();
  const texts = small(50);
  await put(
    bench,
    texts.map((text) => `${text};`),
  );
  assert.ok(clock.now() - startedAt < 5000, `50 puts took ${clock.now() - startedAt} ms`);
  await bench.simulation.pass(70_000);
  assert.deepEqual(delivered(bench), ['first', ...texts]);
  assert.equal(bench.s3.objects.size, 2, 'what came meanwhile is one object');
  await put(bench, ['last;']);
  await bench.simulation.pass(3000);
  const pausedAt = clock.now();
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  assert.ok(clock.now() - pausedAt <= 6000, `a pause took ${clock.now() - pausedAt} ms`);
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.simulation.pass(70_000);
  assert.deepEqual(delivered(bench), ['first', 'last', ...texts]);
  await bench.close();
});

test('a bucket of all records that fails keeps the other from nothing, and the other way round', async () => {
  for (const [broken, whole] of [
    ['copies', 'archive'],
    ['archive', 'copies'],
  ] as const) {
    const hints = { SizeInMBs: 64, IntervalInSeconds: 1 };
    const backup = { S3BackupMode: 'Enabled', S3BackupConfiguration: { BucketARN: 'copies', BufferingHints: hints } };
    const down: S3Script = ({ bucket }) => (bucket === broken ? fails('NoSuchBucket', false) : undefined);
    const bench = await opened(down, sections(1, backup));
    await put(
      bench,
      small(20).map((text) => `${text};`),
    );
    await bench.simulation.pass(5 * MINUTE);
    assert.deepEqual([delivered(bench, whole), delivered(bench, broken)], [small(20), []]);
    const before = await status(bench);
    const failure = broken === 'copies' ? before.backup.failure : before.failure;
    assert.deepEqual([failure, bench.node.health().ok], ['said NoSuchBucket', false]);
    assert.equal(before.backup.lagRecords, broken === 'copies' ? 20 : 0);
    bench.s3.script = () => undefined;
    await bench.simulation.pass(2 * MINUTE);
    assert.deepEqual([delivered(bench, whole), delivered(bench, broken)], [small(20), small(20)]);
    await bench.close();
  }
});

test('a bucket that never comes is left behind by naming another one', async () => {
  const bench = await opened(({ bucket }) => (bucket === 'archive' ? fails('NoSuchBucket', false) : undefined));
  await put(
    bench,
    small(5).map((text) => `${text};`),
  );
  await bench.simulation.pass(5 * MINUTE);
  await bench.call('UpdateDestination', {
    DeliveryStreamName: 'd',
    CurrentDeliveryStreamVersionId: '1',
    DestinationId: 'destinationId-000000000001',
    ExtendedS3DestinationUpdate: { BucketARN: 'arn:aws:s3:::another' },
  });
  await bench.simulation.pass(3 * MINUTE);
  assert.deepEqual([delivered(bench), delivered(bench, 'another')], [[], small(5)]);
  await bench.close();
});
