import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onLoopback } from '../../../src/testing/loopback.ts';
import { kinesis } from '../../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { installDynamoDbLocal, startDynamoDbLocal } from '../kcl/dynamodb-local.ts';
import { postWebhook } from '../../support/post-webhook.ts';
import { documentsMissing, documentWith } from '../../support/published-code.ts';
import type { Group } from '../run.ts';
import { pythonWith, runProgram } from '../tools.ts';
import { invoke } from './invoke.ts';
import { askAsSocket, connectEvent, SHOWS_CODE, socketCode, socketSections } from './published-handlers.ts';
import { numberedListings } from './python-listing.ts';

const BOTO3 = 'boto3==1.44.8';
const OFFICIAL = 'awslambdaric==4.2.2';
const STREAM = 'git-data-stream';
const HOOK_SECRET = 'the secret of the webhook';
const TABLE = 'connections';
const POST_WAITS_MAX = 600;

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
        return webhooks + own + (await socketHandlers(node, sockets.posted));
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
  const files = { first, second, ...socketCode(TABLE), table: TABLE_CODE, shows: SHOWS_CODE };
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
    const handler = `${name}.${['table', 'shows'].includes(name) ? 'handler' : 'lambda_handler'}`;
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
    streams: { [STREAM]: { ShardCount: 1 }, telemetry: { ShardCount: 1 } },
    functions: { ...Object.fromEntries(entries), official },
    gateway: { routes: { ...socketSections.gateway.routes, 'POST /test/git-data': { verify, function: 'second' } } },
    deliveries: socketSections.deliveries,
  };
  writeFileSync(join(data, 'millrace.yaml'), JSON.stringify(config));
  return join(data, 'millrace.yaml');
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

/** A connection is kept with the event of its route, and sent what a delivery hands over as SQS does. */
async function socketHandlers({ api, gateway }: NodeProcess, posted: readonly string[]): Promise<number> {
  await invoke(api, 'table', { do: 'create' });
  assert.deepEqual(await askAsSocket(`${gateway}/connect`), { status: 403, body: '"Access denied"' });
  const event = await connectEvent(gateway, 'token');
  const headers = { 'Sec-WebSocket-Protocol': 'token' };
  const accepted = await invoke(api, 'connected', event);
  assert.deepEqual(accepted.value, { statusCode: 200, headers, body: '"Connected."' }, accepted.log);
  assert.match(accepted.log, /\[INFO\]\t[^\t]+\t[^\t]+\tConnection ID: abc= stored successfully\./);
  const { requestTime } = event['requestContext'] as { readonly requestTime: string };
  const item = { LookupKey: 'CONNECTION', SortKey: 'abc=', connected_at: requestTime };
  assert.deepEqual((await invoke(api, 'table', { do: 'scan' })).value, [item]);
  const other = { LookupKey: 'CONNECTION', SortKey: 'other=', connected_at: '', subscriber: ['robot-2'] };
  await invoke(api, 'table', { do: 'put', item: other });
  for (const device_id of ['robot-1', 'robot-2']) {
    const Data = Buffer.from(JSON.stringify({ device_id })).toString('base64');
    await kinesis(api, 'PutRecord', { StreamName: 'telemetry', PartitionKey: 'k', Data });
  }
  for (let waits = 0; posted.length < 3 && waits < POST_WAITS_MAX; waits += 1) await sleep(50);
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
  return { url: await onLoopback(server), posted, server };
}
