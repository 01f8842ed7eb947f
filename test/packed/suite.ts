/** The package as a stranger gets it: packed, installed without dev dependencies in an empty folder, and used there. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kinesis } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

const run = promisify(execFile);
const home = temporaryDirectory('packed');
const program = join(home, 'node_modules/millrace/dist/main.js');
const example = join(home, 'node_modules/millrace/examples/webhook-search/millrace.yaml');

before(() => {
  const tarball = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', home], {
    encoding: 'utf8',
  }).trim();
  writeFileSync(join(home, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--omit=dev', join(home, tarball)], {
    cwd: home,
    stdio: 'ignore',
  });
});

after(() => removeDirectory(home));

/** Runs the installed command against a node. */
async function millrace(node: NodeProcess, ...words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [program, ...words], {
    cwd: home,
    env: { ...process.env, MILLRACE_API: node.api, NO_COLOR: '1' },
    timeout: 30_000,
  });
  return stdout;
}

test('npx finds the command, and it knows its version', async () => {
  const { stdout } = await run('npx', ['--no-install', 'millrace', '--version'], { cwd: home });
  assert.match(stdout, /^\d+\.\d+\.\d+/);
});

test('bare dev: put, tail, ps, env, doctor', async () => {
  const data = join(home, 'bare');
  const node = await startNodeProcess({ data, program, workingDirectory: home });
  try {
    const created = await fetch(node.api, {
      method: 'POST',
      body: JSON.stringify({ StreamName: 'readings', ShardCount: 2 }),
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Kinesis_20131202.CreateStream',
        'x-amz-date': '20260101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00',
      },
    });
    assert.equal(created.status, 200);
    await millrace(node, 'put', 'readings', '{"temperature":21}');
    const tailed = await millrace(node, 'tail', 'readings', '--from', 'TRIM_HORIZON', '--json', '--limit', '1');
    assert.match(tailed, /temperature/);
    const { stdout } = await run('npx', ['--no-install', 'millrace-conformance', node.api, '--only', 'wire'], {
      cwd: home,
      timeout: 60_000,
    });
    assert.match(stdout, /\n[1-9]\d* passed, 0 failed\n$/);
    assert.match(await millrace(node, 'ps'), /readings/);
    assert.match(await millrace(node, 'env'), /AWS_ENDPOINT_URL_KINESIS/);
    assert.match(await millrace(node, 'doctor', '--data', data), /fsync|fdatasync/);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
  }
});

test('functions: both bootstraps came along', async () => {
  writeFileSync(join(home, 'h.mjs'), 'export const handler = async (event) => ({ node: event });\n');
  writeFileSync(join(home, 'p.py'), 'def handler(event, context):\n    return {"python": event}\n');
  const of = (runtime: string, handler: string): object => ({ runtime, code: '.', handler, timeoutSeconds: 30 });
  const config = join(home, 'functions.yaml');
  writeFileSync(config, JSON.stringify({ functions: { h: of('node', 'h.handler'), p: of('python', 'p.handler') } }));
  const node = await startNodeProcess({ data: join(home, 'functions'), config, program, workingDirectory: home });
  try {
    assert.equal(await millrace(node, 'invoke', 'h', '--event', '{"a":1}', '--save', 'one'), '{"node":{"a":1}}\n');
    assert.equal(await millrace(node, 'invoke', 'p', '--event', 'one'), '{"python": {"a": 1}}\n');
    await assert.rejects(millrace(node, 'invoke', 'nobody'), /ResourceNotFoundException: Function not found/);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
  }
});

test('a reader of tail that is slow misses nothing', async () => {
  const node = await startNodeProcess({ data: join(home, 'slow'), program, workingDirectory: home });
  try {
    await kinesis(node.api, 'CreateStream', { StreamName: 'large', ShardCount: 1 });
    const Data = Buffer.alloc(100_000, 'x').toString('base64');
    for (let index = 0; index < 30; index += 1) {
      await kinesis(node.api, 'PutRecord', { StreamName: 'large', PartitionKey: 'k', Data });
    }
    const words = [program, 'tail', 'large', '--from', 'TRIM_HORIZON', '--no-follow', '--api', node.api];
    const { stdout } = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await sleep(2000);
    let bytes = 0;
    for await (const piece of stdout) bytes += (piece as Buffer).length;
    assert.ok(bytes > 30 * 100_000, `${bytes} bytes came`);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
  }
});

test('a node with key pairs: commands sign, and who does not is refused', async () => {
  const config = join(home, 'keys.json.yaml');
  const pair = { accessKeyId: 'KEY', secretAccessKey: 'the secret of this node' };
  writeFileSync(config, JSON.stringify({ server: { credentials: [pair] }, streams: { readings: { ShardCount: 1 } } }));
  const profiles = join(home, 'credentials');
  writeFileSync(profiles, `[node]\naws_access_key_id = KEY\naws_secret_access_key = ${pair.secretAccessKey}\n`);
  const node = await startNodeProcess({ data: join(home, 'keys'), config, program, workingDirectory: home });
  try {
    await assert.rejects(millrace(node, 'ps'), /security token included in the request is invalid/);
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = profiles;
    assert.match(await millrace(node, '--profile', 'node', 'ps'), /readings/);
    await millrace(node, 'put', 'readings', 'a record', '--profile', 'node');
    const tail = ['tail', 'readings', '--from', 'TRIM_HORIZON', '--json', '--limit', '1', '--profile', 'node'];
    assert.match(await millrace(node, ...tail), /a record/);
    assert.doesNotMatch(await millrace(node, '--profile', 'node', 'env'), /SECRET/);
    await assert.rejects(millrace(node, '--profile', 'nobody', 'ps'), /has no key pair of the profile nobody/);
  } finally {
    delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
    assert.equal(await node.stop(), 0, node.output());
  }
});

test('the packed example: trigger ends as an object', async () => {
  const data = join(home, 'example');
  const environment = { BUFFER_SECONDS: '1' };
  const node = await startNodeProcess({ config: example, data, program, workingDirectory: home, environment });
  try {
    const answer = await millrace(node, 'trigger', 'github.push', '--route', 'POST /test/git-data', '--data', data);
    assert.match(answer, /SequenceNumber/);
    await fetch(`${node.api}/admin/deliveries/git-data-delivery-stream/flush`, { method: 'POST' });
    assert.equal(
      readdirSync(join(data, 'buckets'))
        .filter((name) => !name.startsWith('.'))
        .join(),
      'git-data',
    );
    assert.match(await millrace(node, 'ps'), /paused: not built/);
  } finally {
    assert.equal(await node.stop(), 0, node.output());
  }
});

test('import { start }', async () => {
  mkdirSync(home, { recursive: true });
  const file = join(home, 'use.mjs');
  writeFileSync(
    file,
    `import { start } from 'millrace';
import { runConformance } from 'millrace/conformance';
const mr = await start({ config: ${JSON.stringify(resolve(example))}, ephemeral: true });
const ready = await fetch(mr.api + '/readyz');
const health = await fetch(mr.gateway + '/healthz');
console.log(ready.status, health.status, typeof mr.credentials.accessKeyId);
const { results } = await runConformance({ url: mr.api, only: 'DescribeLimits' });
console.log(results.length, results.every(({ failure }) => failure === undefined));
await mr.flush('git-data-delivery-stream');
await mr.stop();
`,
  );
  const { stdout } = await run(process.execPath, [file], { cwd: home, timeout: 30_000 });
  assert.deepEqual(stdout.trim().split('\n').slice(-2), ['200 200 string', '1 true']);
});

const ONE_AFTER_THE_OTHER = `import { readdirSync } from 'node:fs';
import { start } from 'millrace';
const to = { BucketARN: 'archive', CompressionFormat: 'GZIP' };
for (let lives = 0; lives < 4; lives += 1) {
  const mr = await start({ config: { deliveries: { d: { ExtendedS3DestinationConfiguration: to } } } });
  const { status } = await fetch(mr.api, {
    method: 'POST',
    body: JSON.stringify({ DeliveryStreamName: 'd', Record: { Data: 'ZGF0YQ==' } }),
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Firehose_20150804.PutRecord',
      'x-amz-date': '20260101T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/firehose/aws4_request, SignedHeaders=host, Signature=00',
    },
  });
  await mr.flush('d');
  await mr.stop();
  console.log(status, readdirSync('/proc/self/task').length);
}
`;

const skip = process.platform !== 'linux' && 'only Linux tells threads';

test('nodes that come and go in one process leave no threads behind', { skip }, async () => {
  const file = join(home, 'again.mjs');
  writeFileSync(file, ONE_AFTER_THE_OTHER);
  const { stdout } = await run(process.execPath, [file], { cwd: home, timeout: 30_000 });
  const [, ...lives] = stdout.trim().split('\n');
  assert.equal(lives.length, 3);
  assert.match(lives[0] ?? '', /^200 \d+$/);
  assert.equal(new Set(lives).size, 1, stdout);
});
