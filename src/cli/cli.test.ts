import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACTS, millrace, refused, type Parts } from './cli.fixture.ts';
import type { Finding } from './context.ts';

const NODE = { replies: { 'GET /admin/node': () => FACTS } };

test('exit codes', async () => {
  const reached = { replies: { 'GET /admin/node': () => refused(500, { message: 'broken' }) } };
  const finding: Finding = { level: 'fail', what: 'disk', detail: 'full' };
  const table: readonly (readonly [args: string, parts: Parts, code: number, err: RegExp])[] = [
    ['--version', {}, 0, /^$/],
    ['--help', {}, 0, /^$/],
    ['tail --help', {}, 0, /^$/],
    ['dev', {}, 0, /^$/],
    ['dev', { run: async () => 3 }, 3, /^$/],
    ['dev', { run: async () => 70 }, 70, /^$/],
    ['env', NODE, 0, /^$/],
    ['doctor', {}, 0, /^$/],
    ['', {}, 2, /Usage: millrace/],
    ['nonsense', {}, 2, /unknown command 'nonsense'/],
    ['tail', {}, 2, /missing required argument 'stream'/],
    ['put a b c', {}, 2, /too many arguments/],
    ['put a b --file f', {}, 2, /^millrace: give DATA or --file, not both\n$/],
    ['tail a --limit 0', {}, 2, /Expected a whole number above 0/],
    ['tail a --nonsense', {}, 2, /unknown option '--nonsense'/],
    ['dev --log loud', {}, 2, /Allowed choices are pretty, json/],
    ['dev --sync sometimes', {}, 2, /Allowed choices are always, interval, none/],
    ['dev --ephemeral --data d', {}, 2, /option '--ephemeral' cannot be used with option '--data <dir>'/],
    ['trigger github.none', {}, 2, /^millrace: no sample github\.none; there are \n$/],
    ['doctor', { examine: async () => [finding] }, 1, /^millrace: this machine is not fit as it is\n$/],
    ['env', reached, 1, /^millrace: broken\n$/],
    ['dev', { run: async () => await Promise.reject(new Error('odd')) }, 1, /^millrace: odd\n$/],
    ['env', {}, 4, /^millrace: no millrace answers at http:\/\/127\.0\.0\.1:4567; start one with `millrace dev`, or /],
  ];
  for (const [args, parts, code, err] of table) {
    const ended = await millrace(args === '' ? [] : args.split(' '), parts);
    assert.equal(ended.code, code, args);
    assert.match(ended.err, err, args);
  }
});

test('version and help go to stdout', async () => {
  assert.equal((await millrace(['--version'])).out, '1.2.3\n');
  const { out } = await millrace(['--help']);
  for (const command of ['dev', 'start', 'put', 'tail', 'trigger', 'ps', 'env', 'doctor']) {
    assert.match(out, new RegExp(`^  ${command} `, 'm'));
  }
});

test('dev and start hand over what they were given', async () => {
  const standard = {
    mode: 'dev',
    file: undefined,
    api: '127.0.0.1:4567',
    gateway: '127.0.0.1:4568',
    data: '.millrace',
    ephemeral: false,
    log: 'pretty',
    sync: undefined,
    unsafe: false,
  };
  const table: readonly (readonly [args: string, run: object])[] = [
    ['dev', standard],
    ['start', { ...standard, mode: 'start', log: 'json' }],
    ['dev my.yaml --ephemeral --unsafe', { ...standard, file: 'my.yaml', ephemeral: true, unsafe: true }],
    ['dev --api [::1]:0 --gateway localhost:65535', { ...standard, api: '[::1]:0', gateway: 'localhost:65535' }],
    ['start --log pretty --data d --sync none', { ...standard, mode: 'start', data: 'd', sync: 'none' }],
  ];
  for (const [args, run] of table) assert.deepEqual((await millrace(args.split(' '))).runs, [run], args);
  for (const address of ['4567', 'h:65536', 'h:', ':1', '::1:80', 'h:-1', 'a b:1', '[h]:1']) {
    const { code, runs, err } = await millrace(['dev', '--api', address]);
    assert.deepEqual([code, runs], [2, []], address);
    assert.match(err, /Expected HOST:PORT/);
  }
});

test('where the node is: flag, variable, the usual address', async () => {
  const table: readonly (readonly [args: readonly string[], variable: string | undefined, url: string])[] = [
    [[], undefined, 'http://127.0.0.1:4567/admin/node'],
    [[], 'localhost:1', 'http://localhost:1/admin/node'],
    [['--api', 'h:2'], 'localhost:1', 'http://h:2/admin/node'],
    [['--api', 'https://h:2/base//'], undefined, 'https://h:2/base/admin/node'],
  ];
  for (const [args, variable, url] of table) {
    const variables = variable === undefined ? {} : { MILLRACE_API: variable };
    const { sent } = await millrace(['env', ...args], { variables });
    assert.deepEqual(
      sent.map((one) => one.url),
      [url],
    );
  }
});

test('another server on the port is named as such', async () => {
  const replies = { 'GET /admin/node': () => refused(200, '<html>') };
  const { code, err } = await millrace(['env'], { replies });
  assert.deepEqual([code, err], [1, 'millrace: what answers at http://127.0.0.1:4567 is no millrace\n']);
});

test('Ctrl-C is no failure', async () => {
  const { code, err } = await millrace(['env'], { ...NODE, interrupted: AbortSignal.abort() });
  assert.deepEqual([code, err], [0, '']);
});

test('env prints what a shell takes', async () => {
  const given = { PLAIN: 'abc', QUOTED: 'it\'s a "secret" $HOME `x`\n!', EMPTY: '' };
  const asked: string[] = [];
  const secrets: Parts['secrets'] = async (data) => {
    asked.push(data);
    return given;
  };
  const plain = await millrace(['env'], { ...NODE, secrets });
  const lines = [
    'export AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:4567',
    'export AWS_ENDPOINT_URL_FIREHOSE=http://127.0.0.1:4567',
    'export AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:4567',
    'export AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=http://127.0.0.1:4567',
    'export AWS_ENDPOINT_URL_TIMESTREAM_WRITE=http://127.0.0.1:4567',
    'export AWS_ENDPOINT_URL_TIMESTREAM_QUERY=http://127.0.0.1:4567',
    'export AWS_REGION=us-east-1',
    'export AWS_DEFAULT_REGION=us-east-1',
    'export AWS_ACCESS_KEY_ID=millrace',
    'export AWS_SECRET_ACCESS_KEY=millrace',
    'export AWS_CA_BUNDLE=/data/tls/bundle.pem',
    'export SSL_CERT_FILE=/data/tls/bundle.pem',
    'export NODE_EXTRA_CA_CERTS=/data/tls/certificate.pem',
    'export MILLRACE_API=http://127.0.0.1:4567',
    'export MILLRACE_GATEWAY=http://127.0.0.1:4568',
    '',
  ];
  assert.equal(plain.out, lines.join('\n'));
  assert.deepEqual(asked, [], 'secrets are looked at only when asked for');
  const shown = await millrace(['env', '--show-secrets'], { ...NODE, secrets });
  assert.equal(
    shown.out.slice(plain.out.length),
    'export MILLRACE_SECRET_PLAIN=abc\n' +
      "export MILLRACE_SECRET_QUOTED='it'\\''s a \"secret\" $HOME `x`\n!'\n" +
      "export MILLRACE_SECRET_EMPTY=''\n",
  );
  await millrace(['env', '--show-secrets', '--data', 'elsewhere'], { ...NODE, secrets });
  assert.deepEqual(asked, ['/data', 'elsewhere']);
  const json = await millrace(['env', '--json', '--show-secrets'], { ...NODE, secrets });
  assert.equal((JSON.parse(json.out) as Record<string, string>)['MILLRACE_SECRET_QUOTED'], given.QUOTED);
});

const shards = (open: number, closed = 0): object[] =>
  Array.from({ length: open + closed }, (_, index) => ({ open: index >= closed }));
const STREAMS = {
  streams: [
    { name: 'git-data', mode: 'ON_DEMAND', managed: 'file', records: 12, shards: shards(4, 3) },
    { name: 'a', mode: 'PROVISIONED', managed: 'unmanaged', records: 0, shards: shards(1) },
  ],
};
const ROUTES = {
  routes: [
    { method: 'POST', path: '/x', verify: 'github', stream: 'git-data', accepted: 12, duplicate: 3 },
    { method: 'ANY', path: '/f', verify: 'none', function: 'hello', accepted: 0, duplicate: 0, answered: 5 },
  ],
};
const counts = { processes: 1, running: 0, waiting: 2, invocations: 7, failures: 3 };
const FUNCTIONS = {
  functions: [
    { name: 'hello', runtime: 'node', state: 'active', ...counts },
    { name: 'py', runtime: 'python', state: 'broken', problem: 'there is no py.py', ...counts },
  ],
};
const DELIVERIES = {
  deliveries: [
    { name: 'd', state: 'running', managed: 'file', source: 'a', objectsDelivered: 2, recordsWaiting: 7 },
    {
      name: 'e',
      state: 'retrying',
      managed: 'file',
      source: 'a',
      objectsDelivered: 0,
      failure: 'disk full',
      replays: [
        { id: 'abc', delivery: 'e', stream: 'a', state: 'running', recordsDelivered: 5, recordsFailed: 0 },
        {
          id: 'def',
          delivery: 'e',
          errorsOf: 'd',
          state: 'retrying',
          failure: 'HTTP 503',
          recordsDelivered: 0,
          recordsFailed: 1,
        },
      ],
    },
  ],
};

const PULLS = {
  pulls: [
    {
      name: 'wheel',
      route: 'POST /x',
      state: 'waiting',
      problem: 'status 500',
      managed: 'file',
      missed: 4,
      stored: 3,
      repeated: 2,
      refused: 1,
      lost: 0,
      settledTo: '2026-03-14T09:26:53.000Z',
    },
  ],
};
const SOURCES = {
  sources: [
    {
      name: 'feed',
      kind: 'sse',
      state: 'connected',
      managed: 'file',
      to: 'a',
      stored: 8,
      repeated: 1,
      reconnects: 2,
      lagMs: 15,
      lastId: '7\u001b[31m',
    },
    {
      name: 'other',
      kind: 'sse',
      state: 'waiting',
      problem: 'status 429',
      managed: 'file',
      function: 'f',
      stored: 0,
      repeated: 0,
      reconnects: 0,
      lastId: 'x'.repeat(100),
    },
  ],
};

test('ps prints tables, and leaves out what there is none of', async () => {
  const replies = {
    'GET /admin/node': () => FACTS,
    'GET /admin/streams': () => STREAMS,
    'GET /admin/routes': () => ROUTES,
    'GET /admin/pulls': () => PULLS,
    'GET /admin/sources': () => SOURCES,
    'GET /admin/functions': () => FUNCTIONS,
    'GET /admin/deliveries': () => DELIVERIES,
  };
  const full = await millrace(['ps'], { replies });
  assert.equal(
    full.out,
    `STREAM    MODE         SHARDS  RECORDS  MANAGED
git-data  ON_DEMAND    4       12       file
a         PROVISIONED  1       0        unmanaged

ROUTE    VERIFY  TO              ACCEPTED  REPEATED
POST /x  github  git-data        12        3
ANY /f   none    function hello  5         0

PULL   ROUTE    STATE                STORED  REPEATED  REFUSED  LOST  WAITING  SETTLED TO                MANAGED
wheel  POST /x  waiting: status 500  3       2         1        0     4        2026-03-14T09:26:53.000Z  file

SOURCE  KIND  STATE                TO  STORED  REPEATED  RECONNECTS  LAG MS  LAST ID                              MANAGED
feed    sse   connected            a   8       1         2           15      7?[31m                               file
other   sse   waiting: status 429  f   0       0         0                   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...  file

FUNCTION  RUNTIME  STATE                      PROCESSES  RUNNING  WAITING  RUNS  FAILED
hello     node     active                     1          0        2        7     3
py        python   broken: there is no py.py  1          0        2        7     3

DELIVERY  SOURCE  STATE                OBJECTS  WAITING  MANAGED
d         a       running              2        7        file
e         a       retrying: disk full  0        0        file

REPLAY  OF           TO  STATE               DELIVERED  FAILED
abc     a            e   running             5          0
def     errors of d  e   retrying: HTTP 503  0          1
`,
  );
  const bare = {
    'GET /admin/node': () => FACTS,
    'GET /admin/streams': () => ({ streams: [] }),
    'GET /admin/routes': () => ({ routes: [] }),
    'GET /admin/pulls': () => ({ pulls: [] }),
    'GET /admin/sources': () => ({ sources: [] }),
    'GET /admin/functions': () => ({ functions: [] }),
    'GET /admin/deliveries': () => ({ deliveries: [] }),
  };
  assert.equal((await millrace(['ps'], { replies: bare })).out, 'STREAM  MODE  SHARDS  RECORDS  MANAGED\n');
  const loose = { ...bare, 'GET /admin/node': () => ({ ...FACTS, sync: 'interval' }) };
  assert.match((await millrace(['ps'], { replies: loose })).out, /^sync: interval \(answers do not wait/);
  const json = await millrace(['ps', '--json'], { replies });
  assert.deepEqual(JSON.parse(json.out), {
    sync: 'always',
    ...STREAMS,
    ...ROUTES,
    ...PULLS,
    ...SOURCES,
    ...FUNCTIONS,
    ...DELIVERIES,
  });
});

test('doctor prints findings', async () => {
  const findings: readonly Finding[] = [
    { level: 'ok', what: 'clock', detail: 'steady' },
    { level: 'warn', what: 'fdatasync', detail: '12 ms' },
  ];
  const asked: object[] = [];
  const examine: Parts['examine'] = async (options) => {
    asked.push(options);
    return findings;
  };
  const plain = await millrace(['doctor', '--data', 'd', '--api', 'h:1'], { examine });
  assert.equal(plain.out, 'ok   clock      steady\nwarn fdatasync  12 ms\n');
  assert.deepEqual(asked, [{ api: 'h:1', gateway: '127.0.0.1:4568', data: 'd' }]);
  assert.deepEqual(JSON.parse((await millrace(['doctor', '--json'], { examine })).out), findings);
});
