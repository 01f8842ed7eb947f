import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { printFinding } from '../kernel/schema/config-finding.ts';
import * as s from '../kernel/schema/declare.ts';
import { capabilities } from '../registry.ts';
import { InvalidConfig, loadConfig, loadConfigValue, readSecrets, secretsFileOf, type Config } from './index.ts';

const ENVIRONMENT: Readonly<Record<string, string>> = {
  SEVEN: '7',
  TRUE: 'true',
  TEXT: 'text',
  EMPTY: '',
  NESTED: '${env:SEVEN}',
};
const SECRETS: Readonly<Record<string, string>> = { KEY: 'hunter2', DIGITS: '12' };

const things = {
  name: 'things',
  operations: [],
  section: 'things',
  options: s.map(
    s.struct({
      count: s.optional(s.integer({ min: 1, max: 10, hidden: true })),
      on: s.optional(s.boolean()),
      ratio: s.optional(s.double()),
      text: s.optional(s.string({ values: ['hunter3', 'text', '7', 'true'] })),
      list: s.optional(s.list(s.integer())),
      deep: s.optional(s.struct({ more: s.any({ hidden: true }) })),
      key: s.optional(s.string({ values: ['hunter3'], secret: true })),
    }),
  ),
  problems: (options: object, mode: string) =>
    Object.hasOwn(options, 'odd') ? [{ path: ['odd', 'list', 1], message: `is odd in ${mode}` }] : [],
};

const OPTIONS = {
  name: 'm.yaml',
  sections: [things, ...capabilities],
  variables: { environment: (name: string) => ENVIRONMENT[name], secret: (name: string) => SECRETS[name] },
  mode: 'start',
  own: [],
} as const;

function load(text: string): Config {
  return loadConfig(text, OPTIONS).config;
}

/** The lines of the refusal; none when the config is fine. */
function lines(make: () => unknown): readonly string[] {
  try {
    make();
    return [];
  } catch (error) {
    assert.ok(error instanceof InvalidConfig, String(error));
    assert.equal(error.message, error.findings.map(printFinding).join('\n'));
    return error.message.split('\n');
  }
}

function refused(text: string): readonly string[] {
  return lines(() => load(text));
}

test('what is not there stays out', () => {
  for (const text of ['', '# nothing\n', 'null', '{}']) {
    assert.deepEqual(load(text), { server: {}, engine: {}, limits: {}, outgoing: {}, sections: {} }, text);
  }
  assert.deepEqual(load('streams: {}\nthings:\n').sections, { streams: {}, things: null });
});

test('the shipped example is fine', () => {
  const path = 'examples/webhook-search/millrace.yaml';
  const variables = { environment: () => undefined, secret: () => 'made up' };
  const { config, secrets, literalSecrets } = loadConfig(readFileSync(path, 'utf8'), { ...OPTIONS, variables });
  const { sections } = config;
  assert.deepEqual(Object.keys(sections).sort(), ['deliveries', 'gateway', 'streams']);
  assert.deepEqual([...secrets], ['GITHUB_WEBHOOK']);
  assert.deepEqual(literalSecrets, []);
  const { deliveries } = sections as Record<string, Record<string, Record<string, Record<string, unknown>>>>;
  const built = deliveries?.['git-data-delivery-stream']?.['ExtendedS3DestinationConfiguration'];
  assert.deepEqual(built?.['BufferingHints'], { SizeInMBs: 5, IntervalInSeconds: 60 });
});

const ROWS: readonly (readonly [text: string, ...lines: string[]])[] = [
  [
    'streams:\n  a: { ShardCount: 0 }\n',
    'm.yaml:2:20 streams.a.ShardCount: 0 is out of range, expected a whole number from 1 to 500',
  ],
  [
    'streams:\n  a:\n    ShardCnt: 1\n    MaxRecordSizeInKiB: "2048"\n',
    'm.yaml:3:15 streams.a.ShardCnt: unknown key, expected ShardCount, StreamModeDetails, RetentionPeriodHours, ' +
      'MaxRecordSizeInKiB, Tags, did you mean ShardCount?',
    'm.yaml:4:25 streams.a.MaxRecordSizeInKiB: is text, expected a whole number from 1024 to 10240, ' +
      'write the number without quotes',
  ],
  [
    'stream: {}',
    'm.yaml:1:1 stream: unknown key, expected server, engine, secrets, s3, opensearch, devices, ' +
      'converters, series, limits, faults, outgoing, things, ..., did you mean streams?',
  ],
  [
    'streams:\n  a:\n',
    'm.yaml:2:3 streams.a: empty, expected a mapping with ShardCount, StreamModeDetails, RetentionPeriodHours, ' +
      'MaxRecordSizeInKiB, Tags, write {} for the defaults',
  ],
  ['streams:\n  - a\n', 'm.yaml:1:1 streams: is a list, expected a mapping'],
  [
    'server: { account: 000000000000 }',
    'm.yaml:1:20 server.account: is a whole number, expected text, put it in quotes',
  ],
  ['things:\n  x:\n    list:\n    - 1\n    - two\n', 'm.yaml:5:7 things.x.list.1: is text, expected a whole number'],
  ['things:\n  odd: { list: [1,\n    2] }\n', 'm.yaml:3:5 things.odd.list.1: is odd in start'],
  ['things:\n  odd: {}\n', 'm.yaml:2:3 things.odd.list.1: is odd in start'],
  [
    'outgoing:\n  allow: [internal.example, 10.0.0.0/8, "http://a"]\n',
    'm.yaml:2:41 outgoing.allow.2: http://a is neither a host name nor an address nor a range such as 10.0.0.0/8',
  ],
  [
    'things: { odd: { count: 11 } }',
    'm.yaml:1:25 things.odd.count: 11 is out of range, expected a whole number from 1 to 10',
  ],
];

test('problems stand where they are', () => {
  for (const [text, ...expected] of ROWS) assert.deepEqual(refused(text), expected, text);
  const [line] = refused('5');
  assert.match(line ?? '', /^m\.yaml:1:1 is a whole number, expected a mapping with server, /);
});

test('capabilities say what shapes cannot, with positions', () => {
  const text = `
gateway:
  routes:
    FETCH /x: { to: s, verify: none }
    POST /api/x: { to: s, verify: none }
deliveries:
  d: { from: s }
  e:
    from: s
    ExtendedS3DestinationConfiguration: { BucketARN: bucket, S3BackupMode: Enabled }
`;
  assert.deepEqual(refused(text), [
    'm.yaml:7:3 deliveries.d: has no destination; name one',
    'm.yaml:10:5 deliveries.e.ExtendedS3DestinationConfiguration: S3BackupMode: Enabled needs S3BackupConfiguration',
    'm.yaml:4:5 gateway.routes.FETCH /x: FETCH is no method; use one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
    "m.yaml:5:5 gateway.routes.POST /api/x: /api/x is reserved: /api/, /write and /healthz are the gateway's own",
  ]);
});

test('bounds of all requests', () => {
  const table: readonly (readonly [text: string, limits: object])[] = [
    ['limits: off', {}],
    ['limits:', {}],
    [
      'limits: { inFlightBytesMax: 67108864, connectionsMax: "${env:SEVEN}" }',
      { inFlightBytesMax: 67_108_864, connectionsMax: 7 },
    ],
  ];
  for (const [text, limits] of table) assert.deepEqual(load(text).limits, limits, text);
});

test('words that are not built yet', () => {
  const soon = 'not built yet, remove it for now';
  const table: readonly (readonly [text: string, ...lines: string[]])[] = [
    ['server: { console: { token: t } }', `m.yaml:1:11 server.console: ${soon}`],
    ['server: { tls: { cert: c, key: k, plaintext: true } }'],
    ['engine: { kafka: {} }', `m.yaml:1:11 engine.kafka: ${soon}`],
    ['engine: { segmentLog: { sync: always } }'],
    ['engine: { segmentLog: { sync: interval, intervalMs: 50, diskBytesMax: 100000000 } }'],
    [
      'engine: { segmentLog: { sync: none, intervalMs: 50 } }',
      'm.yaml:1:49 engine.segmentLog.intervalMs: intervalMs is for sync: interval, and sync is none',
    ],
    [
      'engine: { segmentLog: { intervalMs: 50 } }',
      'm.yaml:1:37 engine.segmentLog.intervalMs: intervalMs is for sync: interval, and sync is always',
    ],
    [
      'engine: { segmentLog: { sync: allways } }',
      "m.yaml:1:31 engine.segmentLog.sync: 'allways' is unknown, expected one of always, interval, none, did you mean always?",
    ],
    ['limits: off'],
    ['limits: aws', `m.yaml:1:9 limits: ${soon}`],
    [
      'limits: { inFlightBytesMax: 1 }',
      'm.yaml:1:29 limits.inFlightBytesMax: 1 is out of range, expected a whole number from 67108864 to 68719476736',
    ],
    [
      'limits: { connections: 1 }',
      'm.yaml:1:24 limits.connections: unknown key, expected inFlightBytesMax, connectionsMax, did you mean connectionsMax?',
    ],
    ['limits: { connectionsMax: 5 }'],
    ['limits: {}'],
    ['faults: {}\nseries: {}\n', `m.yaml:2:1 series: ${soon}`, `m.yaml:1:1 faults: ${soon}`],
    ['gateway: { websockets: {} }', `m.yaml:1:12 gateway.websockets: ${soon}`],
  ];
  for (const [text, ...expected] of table) assert.deepEqual(refused(text), expected, text);
});

test('placeholders become text, and numbers and truth values where those are wanted', () => {
  const table: readonly (readonly [member: string, value: unknown])[] = [
    ['count: "${env:SEVEN}"', { count: 7 }],
    ['count: "${env:NONE:-3}"', { count: 3 }],
    [
      'count: "${secret:DIGITS}" # too large',
      'm.yaml:1:23 things.x.count: the secret does not fit, expected a whole number from 1 to 10',
    ],
    ['ratio: "-${env:SEVEN}.5"', { ratio: -7.5 }],
    ['on: "${env:TRUE}"', { on: true }],
    ['on: "${env:NONE:-false}"', { on: false }],
    ['text: "${env:SEVEN}"', { text: '7' }],
    ['text: "${env:TRUE}"', { text: 'true' }],
    ['text: "${env:NONE:-text}"', { text: 'text' }],
    ['list: ["${env:SEVEN}", 8]', { list: [7, 8] }],
    [
      'deep: { more: ["a-${env:SEVEN}-${env:TEXT}", "${env:EMPTY}", "${env:NONE:-}"] }',
      { deep: { more: ['a-7-text', '', ''] } },
    ],
    ['deep: { more: "$${env:SEVEN} $${secret:KEY}" }', { deep: { more: '${env:SEVEN} ${secret:KEY}' } }],
    ['deep: { more: "${env:NESTED}" }', { deep: { more: '${env:SEVEN}' } }],
    ['deep: { more: "$env:SEVEN {env:SEVEN} $${x}" }', { deep: { more: '$env:SEVEN {env:SEVEN} ${x}' } }],
    ['deep: { more: "${api}/a ${gateway}/b" }', { deep: { more: '${api}/a ${gateway}/b' } }],
    [
      'deep: { more: "${evn:SEVEN}" }',
      'm.yaml:1:30 things.x.deep.more: ${evn:SEVEN} is unknown, expected ${env:NAME} or ${secret:NAME}, ' +
        'write $${evn:SEVEN} for the text itself',
    ],
    ['deep: { more: "!{timestamp:yyyy}/${secret:KEY}" }', { deep: { more: '!{timestamp:yyyy}/hunter2' } }],
    ['count: "${env:TEXT}"', 'm.yaml:1:23 things.x.count: is text, expected a whole number from 1 to 10'],
    ['on: "${env:SEVEN}"', 'm.yaml:1:20 things.x.on: is text, expected true or false'],
    [
      'count: "${env:NONE}"',
      'm.yaml:1:23 things.x.count: the environment variable NONE is not set, set it, or write ${env:NONE:-default}',
    ],
    [
      'text: "${secret:NONE}"',
      'm.yaml:1:22 things.x.text: the secret NONE is not set, set MILLRACE_SECRET_NONE, ' +
        'or put NONE into the file of secrets.file',
    ],
  ];
  for (const [member, value] of table) {
    const text = `things: { x: { ${member.replace(/ #.*/, '')} } }`;
    if (typeof value === 'string') assert.deepEqual(refused(text), [value], member);
    else assert.deepEqual(load(text).sections['things'], { x: value }, member);
  }
  assert.deepEqual(load('things:\n  x:\n    count: ${env:SEVEN}\n').sections['things'], { x: { count: 7 } });
  const used = loadConfig('things: { x: { deep: { more: "${secret:KEY}${secret:NONE:-n}" } } }', OPTIONS).secrets;
  assert.deepEqual([...used].sort(), ['KEY', 'NONE']);
});

test('a secret is never repeated', () => {
  const table: readonly (readonly [text: string, line: string])[] = [
    [
      'server: { region: "${secret:KEY}" }',
      'm.yaml:1:19 server.region: a secret would be shown here, write it as it is where it is none',
    ],
    [
      'things: { x: { key: "${secret:KEY}" } }',
      'm.yaml:1:21 things.x.key: the secret does not fit, expected one of hunter3',
    ],
  ];
  for (const [text, line] of table) assert.deepEqual(refused(text), [line]);
});

test('a secret stands only where nothing shows it', () => {
  const endpoint = (own: string, more = ''): string =>
    'deliveries: { d: { HttpEndpointDestinationConfiguration: { S3Configuration: { BucketARN: bucket }, ' +
    `EndpointConfiguration: { Url: "https://a.example/", ${own} }${more} } } }`;
  const attribute = ', RequestConfiguration: { CommonAttributes: [{ AttributeName: a, AttributeValue: "${secret:KEY}" }] }';
  const fn = (more: string): string => `functions: { f: { code: c, handler: a.b, ${more} } }`;
  const search = (more: string): string => `opensearch: { "https://o.example": ${more} }`;
  const keys = '{ accessKeyId: "${secret:KEY}", secretAccessKey: "${secret:KEY}" }';
  const shown = 'a secret would be shown here, ';
  const url = endpoint('').replace('a.example/', 'a.example/?token=${secret:KEY}');
  const http = 'deliveries.d.HttpEndpointDestinationConfiguration';
  const table: readonly (readonly [text: string, said?: string])[] = [
    [url, `${http}.EndpointConfiguration.Url: ${shown}AccessKey takes one`],
    [
      endpoint('', attribute),
      `${http}.RequestConfiguration.CommonAttributes.0.AttributeValue: ${shown}EndpointConfiguration.AccessKey takes one`,
    ],
    [endpoint('AccessKey: "${secret:KEY}"')],
    [fn('runtime: node, env: { A: "x${secret:KEY}" }')],
    [fn('runtime: realm, values: { A: { b: ["${secret:KEY}"] } }')],
    [fn('runtime: realm, services: { m: { mongodb: "mongodb://u:${secret:KEY}@host/" } }')],
    [fn('runtime: node, onFailure: "${secret:KEY}"'), `functions.f.onFailure: ${shown}write it as it is where it is none`],
    ['deliveries: { d: { mongodb: { uri: "mongodb://u:${secret:KEY}@host/", database: d, collection: c } } }'],
    ['deliveries: { d: { influxdb: { token: "${secret:KEY}" } } }'],
    [search('{ username: "${secret:KEY}", password: "${secret:KEY}" }')],
    [search(`{ sigv4: ${keys} }`)],
    [`s3: { credentials: ${keys} }`],
    [`s3: { region: "\${secret:KEY}" }`, `s3.region: ${shown}credentials.accessKeyId takes one`],
    ['gateway: { routes: { POST /a: { to: s, verify: { basic: { username: "${secret:KEY}", secrets: ["${secret:KEY}"] } } } } }'],
    ['gateway: { routes: { POST /a: { to: s, verify: { github: { secrets: [{ value: "${secret:KEY}" }] } } } } }'],
    ['sources: { a: { to: s, sse: { url: "https://a.example/", headers: "x-key|${secret:KEY}" } } }'],
    ['sources: { a: { to: s, sse: { url: "https://a.example/${secret:KEY}" } } }', `sources.a.sse.url: ${shown}headers takes one`],
  ];
  for (const [text, said] of table) {
    const found = refused(text).map((line) => line.replace(/^m\.yaml:\d+:\d+ /, ''));
    assert.deepEqual(found, said === undefined ? [] : [said], text);
  }
}); // prettier-ignore

test('what is no YAML', () => {
  const table: readonly (readonly [text: string, ...lines: string[]])[] = [
    ['a: 1\na: 2\n', 'm.yaml:2:1 Map keys must be unique'],
    ['streams:\n\ta: 1\n', 'm.yaml:2:1 Tabs are not allowed as indentation'],
    ['streams: *nope\n', 'm.yaml:1:1 Unresolved alias (the anchor must be set before the alias): nope'],
    ['things: { x: { count: ${env:SEVEN} }', 'm.yaml:1:24'],
  ];
  for (const [text, ...expected] of table) {
    const said = refused(text);
    for (const [index, line] of expected.entries()) assert.equal(said[index]?.slice(0, line.length), line, text);
    assert.ok(said.length <= 2);
  }
  assert.match(refused('things: { x: { count: ${env:SEVEN} }')[0] ?? '', /put the text with \$\{\.\.\.\} in quotes$/);
});

test('documents made to take memory or the stack end as any other fault', () => {
  const ten = (name: string, of: string): string => `${name}: &${name} [${Array(10).fill(of).join(',')}]\n`;
  const bomb = ten('a', '1') + ten('b', '*a') + ten('c', '*b') + ten('d', '*c') + ten('e', '*d');
  assert.deepEqual(refused(bomb), ['m.yaml:1:1 Excessive alias count indicates a resource exhaustion attack']);
  const deep = 'things.x.deep.more';
  assert.match(
    refused('streams: &a { b: *a }\n')[0] ?? '',
    /^m\.yaml:1:\d+ streams(\.b)+: nested too deeply, expected/,
  );
  const nested = `things: { x: { deep: { more: ${'['.repeat(40)}${']'.repeat(40)} } } }`;
  assert.match(
    refused(nested)[0] ?? '',
    new RegExp(`^m\\.yaml:1:\\d+ ${deep}(\\.0)+: nested too deeply, expected at most`),
  );
  assert.ok(refused('['.repeat(20_000)).length <= 2);
});

test('values of a module have no positions', () => {
  const from = (value: unknown): readonly string[] => lines(() => loadConfigValue(value, OPTIONS));
  const endless: Record<string, unknown> = {};
  endless['streams'] = endless;
  assert.deepEqual(from({ streams: { a: { ShardCount: '${env:SEVEN}' } } }), []);
  assert.deepEqual(from({ streams: { a: { ShardCount: 0 } } }), [
    'm.yaml streams.a.ShardCount: 0 is out of range, expected a whole number from 1 to 500',
  ]);
  assert.match(from(() => 1)[0] ?? '', /^m\.yaml: is function, expected a mapping with /);
  assert.match(from(endless)[0] ?? '', /^m\.yaml streams(\.streams)+: nested too deeply, /);
});

test('the file of secrets', () => {
  assert.equal(secretsFileOf('secrets: { file: ./s.yaml }\nstreams: 5'), './s.yaml');
  for (const text of ['', 'secrets: {}', 'secrets: { file: 5 }', 'secrets:', '[', '5']) {
    assert.equal(secretsFileOf(text), undefined, text);
  }
  assert.deepEqual(readSecrets('{"A": "x", "B": 5}', 's.json'), { A: 'x', B: '5' });
  assert.deepEqual(readSecrets('', 's.yaml'), {});
  const wrong = ['s.yaml: expected a mapping of names to texts'];
  for (const text of ['[a]', '5', 'A: { b: c }', 'A: null', 'A: true']) {
    assert.deepEqual(
      lines(() => readSecrets(text, 's.yaml')),
      wrong,
      text,
    );
  }
  assert.deepEqual(
    lines(() => readSecrets('A: 1\nA: 2', 's.yaml')),
    ['s.yaml:2:1 Map keys must be unique'],
  );
});

test('key pairs', () => {
  const at = 'm.yaml:1:';
  const pair = (rest: string): string =>
    `server: { credentials: [{ accessKeyId: a, secretAccessKey: ${'s'.repeat(16)}${rest} }] }`;
  const expected = 'expected a pattern of actions such as kinesis:PutRecord* or admin:Read';
  const table: readonly (readonly [text: string, ...lines: string[]])[] = [
    [pair('')],
    [pair(", allow: ['*', 'kinesis:PutRecord*', 'KINESIS:putrecord', 'firehose:*', 'admin:Read', 'admin:Write'], on: ['a*']")],
    ['server: { credentials: [] }', `${at}11 server.credentials: has 0, expected a list of 1 to 1000 items`],
    [
      'server: { credentials: [{ accessKeyId: a, secretAccessKey: short }] }',
      `${at}60 server.credentials.0.secretAccessKey: too short, expected text of 16 to 256 characters`,
    ],
    [
      pair(', allow: [kinesis:PutRecrod]'),
      `${at}86 server.credentials.0.allow.0: 'kinesis:PutRecrod' fits no action, ${expected}, did you mean kinesis:PutRecord?`,
    ],
    [pair(', allow: [admin:*, PutRecord]'), `${at}95 server.credentials.0.allow.1: 'PutRecord' fits no action, ${expected}`],
    [pair(', allow: [lambda:*, lambda:InvokeFunction]')],
    [
      'functions: { f: { runtime: node, code: c, handler: a.b, allow: [kinesis:*, kinesis:Creat] } }',
      `${at}76 functions.f.allow.1: 'kinesis:Creat' fits no action, ${expected}`,
    ],
    [pair(', on: [$audit]'), `${at}83 server.credentials.0.on.0: '$audit' does not fit, expected text matching [a-zA-Z0-9_.*?-]+`],
    [
      pair(` }, { accessKeyId: a, secretAccessKey: ${'t'.repeat(16)}`),
      `${at}95 server.credentials.1.accessKeyId: the same accessKeyId stands twice`,
    ],
  ]; // prettier-ignore
  for (const [text, ...expectedLines] of table)
    assert.deepEqual(
      lines(() => load(text)),
      expectedLines,
      text,
    );
});

test('each service of a realm function is one of the two kinds', () => {
  const at = 'm.yaml:1:';
  const given = (services: string, runtime = 'realm'): string =>
    `functions: { f: { runtime: ${runtime}, code: c, handler: a.exports, services: { s: ${services} } } }`;
  const table: readonly (readonly [text: string, ...lines: string[]])[] = [
    [given('{ kinesis: {} }')],
    [given('{ kinesis: { region: eu-west-1 } }')],
    [given('{ mongodb: "mongodb://localhost/" }')],
    [given('{}'), `${at}76 functions.f.services.s: needs one of kinesis: {} and mongodb: URI`],
    [
      given('{ kinesis: {}, mongodb: "mongodb://localhost/" }'),
      `${at}76 functions.f.services.s: needs one of kinesis: {} and mongodb: URI`,
    ],
    [given('{ http: {} }'), `${at}81 functions.f.services.s.http: unknown key, expected kinesis, mongodb`],
    [
      `functions: { f: { runtime: realm, code: c, handler: a.exports, values: { long: ${'x'.repeat(65_536)} } } }`,
      `${at}14 functions.f: has 65547 characters of values or services, at most 65536 are taken`,
    ],
    [given('{ kinesis: {} }', 'node'), `${at}63 functions.f.services: is for runtime: realm, and this one is node`],
  ];
  for (const [text, ...expectedLines] of table) {
    assert.deepEqual(
      lines(() => load(text)),
      expectedLines,
      text,
    );
  }
});
