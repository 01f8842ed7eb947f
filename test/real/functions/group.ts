import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { kinesis } from '../../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../../support/node-process.ts';
import { installDynamoDbLocal, startDynamoDbLocal } from '../kcl/dynamodb-local.ts';
import { postWebhook } from '../../support/post-webhook.ts';
import { documentsMissing, documentWith } from '../../support/published-code.ts';
import type { Group } from '../run.ts';
import { pythonWith, runProgram } from '../tools.ts';
import { indented, numberedListings, plainListings } from './python-listing.ts';

const BOTO3 = 'boto3==1.44.8';
const OFFICIAL = 'awslambdaric==4.2.2';
const STREAM = 'git-data-stream';
const HOOK_SECRET = 'the secret of the webhook';
const TABLE = 'connections';

function publishedWith(marker: string): string {
  return documentWith(marker) ?? assert.fail(`no document with ${marker}`);
}

/** Handlers written for AWS, taken out of the documents that published them, against boto3 and DynamoDB Local. */
export const functions: Group = {
  name: 'functions',
  async install() {
    if (documentsMissing !== false) throw new Error(documentsMissing);
    const version = 'import boto3; print("boto3", boto3.__version__)';
    const [boto3, database] = [
      await runProgram(await pythonWith(BOTO3), ['-c', version]),
      await installDynamoDbLocal(),
    ];
    await pythonWith(OFFICIAL);
    return `${boto3}, ${database}, ${OFFICIAL}`;
  },
  async run() {
    const data = temporaryDirectory('functions');
    const [database, sockets] = [await startDynamoDbLocal(), await listen()];
    try {
      const config = await writeCode(data, database.url, sockets.url);
      const node = await startNodeProcess({ config, data: join(data, 'node') });
      try {
        const webhooks = await webhookHandlers(node.api, node.gateway);
        const own = await officialClient(node.api);
        return webhooks + own + (await socketHandlers(node.api, sockets.posted));
      } finally {
        await node.stop();
      }
    } finally {
      sockets.server.close();
      await database.stop();
      removeDirectory(data);
    }
  },
};

/** Makes and reads the table with the handlers' own key pair: DynamoDB Local keeps those of each apart. */
const TABLE_CODE = `import boto3, os
table = boto3.resource('dynamodb').Table('${TABLE}')
def handler(event, context):
    if event['do'] == 'create':
        keys = [('LookupKey', 'HASH'), ('SortKey', 'RANGE')]
        boto3.client('dynamodb').create_table(
            TableName='${TABLE}', BillingMode='PAY_PER_REQUEST',
            KeySchema=[{'AttributeName': n, 'KeyType': t} for n, t in keys],
            AttributeDefinitions=[{'AttributeName': n, 'AttributeType': 'S'} for n, _ in keys])
    elif event['do'] == 'put':
        table.put_item(Item=event['item'])
    return table.scan()['Items'] if event['do'] == 'scan' else None
`;

const OFFICIAL_CODE = `def handler(event, context):
    print('through', context.function_name, context.get_remaining_time_in_millis() > 0)
    if event.get('fail'):
        raise KeyError('as asked')
    return event
`;

/** One folder of code; the config that names it. The table's name in the document stands for the reader's own. */
async function writeCode(data: string, database: string, sockets: string): Promise<string> {
  const [first, second] = numberedListings(publishedWith("boto3.client('kinesis')"), 'put_record');
  const [connected, broadcast] = plainListings(publishedWith('post_to_connection'), 'Explanation').map(indented);
  const files = {
    first,
    second,
    connected: connected?.replace('YourDynamoDBTable', TABLE),
    broadcast,
    table: TABLE_CODE,
  };
  mkdirSync(join(data, 'code'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, 'code', `${name}.py`), text ?? assert.fail(`no listing ${name}`));
  }
  const python = await pythonWith(BOTO3);
  const env = {
    AWS_ENDPOINT_URL_DYNAMODB: database,
    AWS_ACCESS_KEY_ID: 'handlers',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    TABLE_NAME: TABLE,
    ENDPOINT_URL: `${sockets}/dev`,
  };
  const entries = Object.keys(files).map((name) => {
    const handler = `${name}.${name === 'table' ? 'handler' : 'lambda_handler'}`;
    return [
      name,
      { runtime: 'python', code: './code', handler, python, timeoutSeconds: 60, memoryMb: 256, env },
    ] as const;
  });
  writeFileSync(join(data, 'code', 'official.py'), OFFICIAL_CODE);
  // What AWS's own images start: it takes no notice of our bootstrap.
  const start = `#!/bin/sh\nexec ${await pythonWith(OFFICIAL)} -m awslambdaric "$_HANDLER"\n`;
  writeFileSync(join(data, 'official'), start, { mode: 0o755 });
  const official = { runtime: 'python', code: './code', handler: 'official.handler', python: './official' };
  const verify = { github: { secrets: [HOOK_SECRET] } };
  const config = {
    streams: { [STREAM]: { ShardCount: 1 } },
    functions: { ...Object.fromEntries(entries), official },
    gateway: { routes: { 'POST /test/git-data': { verify, function: 'second' } } },
  };
  writeFileSync(join(data, 'millrace.yaml'), JSON.stringify(config));
  return join(data, 'millrace.yaml');
}

interface Invoked {
  readonly error: string | null;
  readonly value: Record<string, unknown>;
  readonly log: string;
}

const SIGNED = {
  authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
  'x-amz-log-type': 'Tail',
};

async function invoke(api: string, name: string, event: unknown): Promise<Invoked> {
  const url = `${api}/2015-03-31/functions/${name}/invocations`;
  const answer = await fetch(url, { method: 'POST', headers: SIGNED, body: JSON.stringify(event) });
  assert.equal(answer.status, 200, name);
  return {
    error: answer.headers.get('x-amz-function-error'),
    value: (await answer.json()) as Record<string, unknown>,
    log: Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString(),
  };
}

/**
 * Both versions put their record, and answer what the stream answered; behind a signed route GitHub gets that answer.
 */
async function webhookHandlers(api: string, gateway: string): Promise<number> {
  const event = { zen: 'Design for failure.', hook_id: 409_875_732 };
  for (const name of ['first', 'second']) {
    const { error, value, log } = await invoke(api, name, event);
    assert.equal(error, null, log);
    assert.equal(value['ShardId'], 'shardId-000000000000');
    assert.match(String(value['SequenceNumber']), /^49\d{54}$/);
  }
  const ping = { zen: 'Keep it logically awesome.' };
  const put = await postWebhook(`${gateway}/test/git-data`, HOOK_SECRET, 'ping-1', JSON.stringify(ping));
  assert.match(String(put?.SequenceNumber), /^49\d{54}$/);
  assert.equal(await postWebhook(`${gateway}/test/git-data`, 'a guess', 'ping-2', JSON.stringify(ping)), undefined);
  const shard = { StreamName: STREAM, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = (await kinesis(api, 'GetShardIterator', shard)) as { ShardIterator: string };
  const { Records } = (await kinesis(api, 'GetRecords', { ShardIterator })) as { Records: readonly { Data: string }[] };
  const stored = Records.map(({ Data }) => JSON.parse(Buffer.from(Data, 'base64').toString()) as unknown);
  assert.deepEqual(stored, [{ order: '2 Icecreams' }, event, ping]);
  return 3;
}

/** AWS's own client of the runtime API for Python. */
async function officialClient(api: string): Promise<number> {
  const well = await invoke(api, 'official', { a: 1 });
  assert.deepEqual([well.error, well.value], [null, { a: 1 }], well.log);
  assert.match(well.log, /through official True/);
  const failed = await invoke(api, 'official', { fail: true });
  assert.deepEqual([failed.error, failed.value['errorType']], ['Unhandled', 'KeyError'], failed.log);
  assert.deepEqual((await invoke(api, 'official', { b: 2 })).value, { b: 2 });
  return 1;
}

/** A connection is kept with the WebSocket event of API Gateway, and sent what came in the event of SQS. */
async function socketHandlers(api: string, posted: readonly string[]): Promise<number> {
  await invoke(api, 'table', { do: 'create' });
  const requestContext = { connectionId: 'abc=', requestTime: '31/Jan/2026:12:00:00 +0000', eventType: 'CONNECT' };
  const refused = await invoke(api, 'connected', { headers: {}, requestContext });
  assert.deepEqual(refused.value, { statusCode: 403, body: '"Access denied"' }, refused.log);
  const headers = { 'Sec-WebSocket-Protocol': 'token' };
  const accepted = await invoke(api, 'connected', { headers, requestContext });
  assert.deepEqual(accepted.value, { statusCode: 200, headers, body: '"Connected."' }, accepted.log);
  assert.match(accepted.log, /\[INFO\]\t[^\t]+\t[^\t]+\tConnection ID: abc= stored successfully\./);
  const item = { LookupKey: 'CONNECTION', SortKey: 'abc=', connected_at: requestContext.requestTime };
  assert.deepEqual((await invoke(api, 'table', { do: 'scan' })).value, [item]);
  const other = { LookupKey: 'CONNECTION', SortKey: 'other=', connected_at: '', subscriber: ['robot-2'] };
  await invoke(api, 'table', { do: 'put', item: other });
  const Records = ['robot-1', 'robot-2'].map((device_id) => ({
    eventSource: 'aws:sqs',
    body: JSON.stringify({ device_id }),
  }));
  const { value, error, log } = await invoke(api, 'broadcast', { Records });
  assert.equal(error, null, log);
  assert.deepEqual(value, { statusCode: 200, body: '"Messages have been broadcast successfully."' }, log);
  assert.deepEqual([...posted].toSorted(), [
    '/dev/@connections/abc%3D {"device_id":"robot-1"}',
    '/dev/@connections/abc%3D {"device_id":"robot-2"}',
    '/dev/@connections/other%3D {"device_id":"robot-2"}',
  ]);
  return 3;
}

/** Takes what is posted to connections, in place of an API Gateway. */
async function listen(): Promise<{
  readonly url: string;
  readonly posted: readonly string[];
  readonly server: Server;
}> {
  const posted: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      posted.push(`${request.url} ${body}`);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted, server };
}
