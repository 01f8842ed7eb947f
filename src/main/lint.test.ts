import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { printFinding } from '../kernel/schema/config-finding.ts';
import { makeSelfSigned } from '../wire/http/self-signed.ts';
import { lintConfig } from './lint.ts';

const FINE = `
streams: { events: { ShardCount: 1 } }
gateway: { routes: { "POST /a": { to: events, verify: { github: { secrets: ["\${secret:HOOK}"] } } } } }
functions: { hello: { runtime: node, code: code, handler: index.handler } }
deliveries:
  d: { from: events, ExtendedS3DestinationConfiguration: { BucketARN: bucket } }
  e: { from: events, function: { name: hello } }
`;

const S3_DELIVERY = 'ExtendedS3DestinationConfiguration: { BucketARN: bucket } }';
const HTTP = 'deliveries.d.HttpEndpointDestinationConfiguration';

const EXTENDED = 'deliveries.d.ExtendedS3DestinationConfiguration';
const HINTS = 'BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 5 }';

function endpoint(url: string, bucket = 'BucketARN: bucket'): string {
  const options = `EndpointConfiguration: { Url: "${url}" }, S3Configuration: { ${bucket} }`;
  return `HttpEndpointDestinationConfiguration: { ${options} } }`;
}

function processed(by: string): string {
  const processor = `{ Type: Lambda, Parameters: [{ ParameterName: LambdaArn, ParameterValue: "${by}" }] }`;
  const processing = `ProcessingConfiguration: { Enabled: true, Processors: [${processor}] }`;
  return `ExtendedS3DestinationConfiguration: { BucketARN: bucket, ${processing} } }`;
}

/** Runtime properties of AWS's sample; the last one changes nothing. */
const PROPERTIES = [
  {
    PropertyGroupId: 'SSESourceProperties',
    PropertyMap: { url: 'https://a.example/events', headers: 'Accept|text/html', types: 'message' },
  },
  { PropertyGroupId: 'OutputStreamProperties', PropertyMap: { DefaultStream: 'out' } },
];

/** The same with a feed that only `dev` may ask. */
const LOCAL = [{ PropertyGroupId: 'SSESourceProperties', PropertyMap: { url: 'http://127.0.0.1:9/events?key=k' } }];

const { random } = createNodeEnvironment({ log: 'silent' });
const [CERTIFICATE, ANOTHER] = [1, 2].map(() => makeSelfSigned({ hosts: ['localhost'], from: 0, until: 1e12 }, random));

const AGGREGATED = { PropertyGroupId: 'ProducerConfigProperties', PropertyMap: { AggregationEnabled: true } };

/** `level line path: message` of each finding about a file with that text. */
async function lint(text: string, name = 'm.yaml'): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lint-'));
  try {
    mkdirSync(join(folder, 'code'));
    writeFileSync(join(folder, 'code', 'index.js'), 'exports.handler = async (event) => event;\n');
    writeFileSync(join(folder, 'code', 'properties.json'), JSON.stringify(PROPERTIES));
    writeFileSync(join(folder, 'code', 'aggregated.json'), JSON.stringify([...PROPERTIES, AGGREGATED]));
    writeFileSync(join(folder, 'code', 'local.json'), JSON.stringify(LOCAL));
    writeFileSync(join(folder, 'code', 'cert.pem'), CERTIFICATE?.cert ?? '');
    writeFileSync(join(folder, 'code', 'key.pem'), CERTIFICATE?.key ?? '');
    writeFileSync(join(folder, 'code', 'another.pem'), ANOTHER?.key ?? '');
    writeFileSync(join(folder, 'code', 'schema.json'), '{ "type": "object" }');
    writeFileSync(join(folder, 'code', 'wrong.json'), '{ "type": "thing" }');
    const path = join(folder, name);
    writeFileSync(path, text);
    const found = await lintConfig({ file: path, data: join(folder, 'data') });
    assert.deepEqual(readdirSync(folder).sort(), ['code', name], 'nothing is written');
    return (found ?? []).map((finding) => {
      assert.equal(finding.file, finding.file === '' ? '' : path);
      return `${finding.level} ${printFinding({ ...finding, file: '' })}`.replaceAll(folder, '');
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a fine file has nothing to be said about it', async () => {
  assert.deepEqual(await lint(FINE), []);
  const module =
    'export default { gateway: { routes: { "POST /a": { to: "s", verify: "none" } } }, streams: { s: {} } };';
  assert.deepEqual(await lint(module, 'm.mjs'), []);
  assert.equal(await lintConfig({ file: '/nowhere/m.yaml', data: '/nowhere' }), undefined);
});

test('each error and each warning has its place', async () => {
  const literal = 'a secret stands here as it is';
  const table: readonly (readonly [replaced: string, by: string, ...said: string[]])[] = [
    ['ShardCount', 'ShardCont', 'error :2:33 streams.events.ShardCont: unknown key, expected'],
    ['ShardCount: 1', 'ShardCount: "1"', 'error :2:34 streams.events.ShardCount: is text, expected'],
    ['to: events', 'to: event', 'warning :3:39 gateway.routes.POST /a.to: the file has no stream event: did you mean events?'],
    ['"${secret:HOOK}"', 'abc', `warning :3:77 gateway.routes.POST /a.verify.github.secrets.0: ${literal}`],
    [', verify: { github: { secrets: ["${secret:HOOK}"] } }', '', 'warning :3:22 gateway.routes.POST /a.verify: `millrace start` refuses it: is missing'],
    ['to: events, v', 'to: events, schema: ./code/schema.json, v'],
    ['to: events, v', 'to: events, schema: ./none.json, v', 'error :3:55 gateway.routes.POST /a.schema: /none.json: '],
    ['to: events, v', 'to: events, schema: code/wrong.json, v', 'error :3:55 gateway.routes.POST /a.schema: /code/wrong.json: schema is invalid'],
    ['to: events, verify: { github: { secrets: ["${secret:HOOK}"] } }', 'to: { ExtendedS3DestinationConfiguration: { BucketARN: b } }, receive: { firehose: { accessKeys: ["${secret:K}"] } }', 'error :3:41 gateway.routes.POST /a.to.ExtendedS3DestinationConfiguration: takes no requests at once'],
    ['github: { secrets: ["${secret:HOOK}"] }', 'jwt: { jwks: "https://10.0.0.1/keys" }', 'error :3:70 gateway.routes.POST /a.verify.jwt.jwks: 10.0.0.1 is private; outgoing.allow can list it'],
    ['runtime: node', 'runtime: node, env: { API_TOKEN: 0123456789 abc }', `warning :4:56 functions.hello.env.API_TOKEN: ${literal}`],
    ['index.handler', 'other.handler', 'warning :4:14 functions.hello: there is no other.js, other.mjs or other.cjs in /code'],
    ['code: code', 'code: ./none', 'warning :4:14 functions.hello: there is no folder /none'],
    ['runtime: node', 'runtime: python, python: ./venv/bin/python', 'warning :4:14 functions.hello: there is no /venv/bin/python to run it with: install Python 3.9 or newer (`apt-get install python3`, `brew install python3`), or name one with `python: PATH`'],
    ['runtime: node', 'runtime: node, onFailure: lost', 'warning :4:49 functions.hello.onFailure: the file has no stream lost: it has to be made through the API'],
    ['from: events, E', 'from: none, E', 'warning :6:14 deliveries.d.from: the file has no stream none'],
    ['BucketARN: bucket', 'BucketARN: bucket, BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 5 }', 'warning :6:130 deliveries.d.ExtendedS3DestinationConfiguration.BufferingHints.IntervalInSeconds: 5 s is below'],
    ['BucketARN: bucket', 'BucketARN: bucket, RoleARN: "arn:aws:iam::000000000000:role/r"', 'warning :6:88 deliveries.d.ExtendedS3DestinationConfiguration.RoleARN: is kept'],
    ['ExtendedS3DestinationConfiguration: {', 'series: {', 'warning :6:22 deliveries.d.series: is not built yet'],
    [S3_DELIVERY, processed('hello')],
    [S3_DELIVERY, processed('helo'), `warning :6:79 ${EXTENDED}.ProcessingConfiguration: the file has no function helo: did you mean hello?`],
    [S3_DELIVERY, processed('https://10.0.0.1/x'), `error :6:22 ${EXTENDED}: 10.0.0.1 is private`],
    [S3_DELIVERY, processed('http://127.0.0.1:9/x'), `warning :6:22 ${EXTENDED}: \`millrace start\` refuses it: 127.0.0.1 is loopback`],
    [S3_DELIVERY, processed('${gateway}/x')],
    [S3_DELIVERY, processed('${gate}/x'), `error :6:`],
    [S3_DELIVERY, endpoint('https://a.example/x', `BucketARN: bbb, ${HINTS}`), `warning :6:152 ${HTTP}.S3Configuration.BufferingHints: has no effect here`],
    [S3_DELIVERY, endpoint('https://a.example/x', `BucketARN: bbb, ${HINTS} }, S3BackupMode: AllData, RetryOptions: { DurationInSeconds: 1`), `warning :6:203 ${HTTP}.S3Configuration.BufferingHints.IntervalInSeconds: 5 s is below`],
    [S3_DELIVERY, endpoint('https://a.example/x', `BucketARN: bbb, RoleARN: "arn:aws:iam::000000000000:role/r"`), `warning :6:161 ${HTTP}.S3Configuration.RoleARN: is kept`],
    ['BucketARN: bucket', `BucketARN: bucket, S3BackupMode: Enabled, S3BackupConfiguration: { BucketARN: bbb, ${HINTS} }`, `warning :6:194 ${EXTENDED}.S3BackupConfiguration.BufferingHints.IntervalInSeconds: 5 s`],
    ['name: hello', 'name: helo, onFailure: lost', 'warning :7:40 deliveries.e.function.name: the file has no function helo: did you mean hello?', 'warning :7:57 deliveries.e.function.onFailure: the file has no stream lost'],
    ...['http://169.254.169.254/x', 'https://10.0.0.1/x', 'https://[fd00:ec2::254]/x'].map(
      (url) => [S3_DELIVERY, endpoint(url), `error :6:22 ${HTTP}: ${new URL(url).hostname.replace(/[[\]]/g, '')} is `] as const,
    ),
    [S3_DELIVERY, endpoint('http://127.0.0.1:9/x'), `warning :6:22 ${HTTP}: \`millrace start\` refuses it: 127.0.0.1 is loopback; outgoing.allow can list it`],
    [S3_DELIVERY, endpoint('http://a.example/x'), `warning :6:22 ${HTTP}: \`millrace start\` refuses it: http://a.example is not https`],
    [S3_DELIVERY, endpoint('${gateway}/x')],
    [S3_DELIVERY, endpoint('http://127.0.0.1:4568/x')],
    ['streams:', 'engine: { segmentLog: { sync: none } }\nstreams:', 'warning engine.segmentLog.sync: `millrace start` refuses it: none may lose what was answered'],
  ]; // prettier-ignore
  for (const [replaced, by, ...said] of table) {
    const found = await lint(FINE.replace(replaced, by));
    assert.equal(found.length, said.length, [by, ...found].join('\n'));
    for (const [index, line] of said.entries()) assert.equal(found[index]?.slice(0, line.length), line);
  }
});

test('files of `server.tls` that cannot be shown are told with their place', async () => {
  const tls = (cert: string, key: string): string => `${FINE}server: { tls: { cert: ${cert}, key: ${key} } }\n`;
  const rows: readonly (readonly [text: string, ...said: string[]])[] = [
    [tls('code/cert.pem', 'code/key.pem')],
    [tls('none.pem', 'code/key.pem'), 'error :8:24 server.tls.cert: ENOENT'],
    [tls('code/key.pem', 'code/key.pem'), 'error :8:24 server.tls.cert: not a certificate in PEM'],
    [tls('code/cert.pem', 'code/none.pem'), 'error :8:44 server.tls.key: ENOENT'],
    [
      tls('code/cert.pem', 'code/cert.pem'),
      'error :8:44 server.tls.key: not a private key in PEM without a passphrase',
    ],
    [tls('code/cert.pem', 'code/another.pem'), 'error :8:44 server.tls.key: not the key of the certificate'],
  ];
  for (const [text, ...said] of rows) {
    const found = await lint(text);
    assert.equal(found.length, said.length, [text, ...found].join('\n'));
    for (const [index, line] of said.entries()) assert.equal(found[index]?.slice(0, line.length), line);
  }
});

test('what `outgoing` lists may be asked', async () => {
  const listed = FINE.replace(S3_DELIVERY, endpoint('https://10.0.0.1/x'));
  assert.deepEqual(await lint(`outgoing: { allow: ["10.0.0.0/8"] }${listed}`), []);
});

test('sources: words without effect, files that cannot be used, and names that the file does not have', async () => {
  const at = (sse: string, to = 'to: events'): string =>
    `streams: { events: {} }\nsources:\n  feed: { sse: { ${sse} }, ${to} }\n`;
  const feed = 'warning :3:11 sources.feed.sse:';
  const reason = 'has no effect: an event stream is asked for';
  const rows: readonly (readonly [text: string, ...said: string[]])[] = [
    [at('url: "https://a.example/x"')],
    [at('url: "https://a.example/x", headers: "User-Agent|me|Accept|text/event-stream|Cache-Control|no-cache"')],
    [at('url: "https://a.example/x", headers: "${env:NONE:-Accept|text/html}"'), `${feed} the header accept ${reason}`],
    [
      at('properties: ./code/properties.json, types: star'),
      `${feed} properties: OutputStreamProperties.DefaultStream has no effect: the stream is named by \`to\``,
      `${feed} properties: types has no effect: the config file says it itself`,
      `${feed} the header accept ${reason}`,
    ],
    [
      at('url: "http://127.0.0.1:9/x"'),
      `${feed} \`millrace start\` refuses it: 127.0.0.1 is loopback; outgoing.allow can list it`,
    ],
    [
      at('url: "https://169.254.169.254/x"'),
      'error :3:11 sources.feed.sse: 169.254.169.254 is where a cloud answers with credentials; outgoing.allow can list it',
    ],
    [
      at('properties: ./code/local.json'),
      `${feed} \`millrace start\` refuses it: properties: 127.0.0.1 is loopback; outgoing.allow can list it`,
    ],
    [at('properties: ./none.json'), 'error :3:11 sources.feed.sse: properties: ./none.json cannot be read (ENOENT)'],
    [
      at('properties: ./code/aggregated.json'),
      'error :3:11 sources.feed.sse: properties: ProducerConfigProperties.AggregationEnabled: records are not ' +
        'aggregated; set it to false, as the sample says',
    ],
    [
      at('url: "https://a.example/x"', 'to: event'),
      'warning :3:52 sources.feed.to: the file has no stream event: did you mean events?',
    ],
    [
      at('url: "https://a.example/x"', 'function: hello'),
      'warning :3:58 sources.feed.function: the file has no function hello: nothing can run it',
    ],
  ];
  for (const [text, ...said] of rows) assert.deepEqual(await lint(text), said, text);
});
