/**
 * Both handlers of the document about WebSockets, taken out of it at run time: one behind a route, one behind a delivery
 * with SQS's events. In place of boto3 stands a module that writes down what it is called with.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { withNode } from '../../../src/compose/key-pairs.fixture.ts';
import type { ServedNode } from '../../../src/compose/serve.ts';
import { createLambdaRuntime } from '../../../src/drivers/lambda-runtime/index.ts';
import { createNodeEnvironment } from '../../../src/environments/node/index.ts';
import { documentsMissing as skip } from '../../support/published-code.ts';
import { kinesis } from '../../support/kinesis.ts';
import { askAsSocket, connectEvent, SHOWS_CODE, socketCode, socketSections } from './published-handlers.ts';
import { invoke } from './invoke.ts';

const BOTO3 = `import json, os
def note(*what):
    with open(os.environ['CALLS'], 'a') as calls:
        calls.write(json.dumps(what) + '\\n')
class Table:
    def __init__(self, name):
        self.name = name
    def put_item(self, Item):
        note('put', self.name, Item)
    def query(self, KeyConditionExpression):
        return {'Items': [{'SortKey': 'abc='}, {'SortKey': 'other=', 'subscriber': ['robot-2']}]}
class Dynamodb:
    Table = Table
class Connections:
    def __init__(self, url):
        self.url = url
    def post_to_connection(self, ConnectionId, Data):
        note('post', self.url, ConnectionId, Data)
def resource(name):
    return Dynamodb()
def client(name, endpoint_url):
    return Connections(endpoint_url)
from . import dynamodb
`;
const CONDITIONS = `class Key:
    def __init__(self, name):
        self.name = name
    def eq(self, value):
        return (self.name, value)
`;
const FILES = {
  'shows.py': SHOWS_CODE,
  'boto3/__init__.py': BOTO3,
  'boto3/dynamodb/__init__.py': 'from . import conditions\n',
  'boto3/dynamodb/conditions.py': CONDITIONS,
  'botocore/__init__.py': '',
  'botocore/exceptions.py': 'class ClientError(Exception):\n    pass\n',
};

test('published handlers behind a route and behind a delivery with SQS’s events', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-published-sockets-'));
  const calls = join(folder, 'calls');
  const { connected, broadcast } = socketCode('connections');
  for (const [name, text] of Object.entries({ ...FILES, 'connected.py': connected, 'broadcast.py': broadcast })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(calls, '');
  const env = { CALLS: calls, TABLE_NAME: 'connections', ENDPOINT_URL: 'http://sockets/dev' };
  const common = { runtime: 'python', code: folder, timeoutSeconds: 30, env };
  const functions = {
    connected: { ...common, handler: 'connected.lambda_handler' },
    broadcast: { ...common, handler: 'broadcast.lambda_handler' },
    shows: { ...common, handler: 'shows.handler' },
  };
  const machine = { nodePath: process.execPath, variables: { PATH: process.env['PATH'] ?? '' } };
  const runtime = createLambdaRuntime(machine, createNodeEnvironment({ log: 'silent' }));
  const sections = { streams: { telemetry: { ShardCount: 1 } }, functions, ...socketSections };
  try {
    await withNode(undefined, sections, async (node) => await asPublished(node, calls), { functionRuntime: runtime });
  } finally {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function asPublished({ api, gateway }: ServedNode, calls: string): Promise<void> {
  assert.deepEqual(await askAsSocket(`${gateway}/connect`), { status: 403, body: '"Access denied"' });
  const { status } = await askAsSocket(`${gateway}/connect`, 'token');
  assert.equal(status, 502);
  const event = await connectEvent(gateway, 'token');
  const { value, log } = await invoke(api, 'connected', event);
  const headers = { 'Sec-WebSocket-Protocol': 'token' };
  assert.deepEqual(value, { statusCode: 200, headers, body: '"Connected."' }, log);
  const { requestTime } = event['requestContext'] as { readonly requestTime: string };
  assert.match(requestTime, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  const bodies = ['robot-1', 'robot-2'].map((device_id) => JSON.stringify({ device_id, at: 1.5 }));
  for (const body of [...bodies, 'no JSON']) {
    const Data = Buffer.from(body).toString('base64');
    await kinesis(api, 'PutRecord', { StreamName: 'telemetry', PartitionKey: 'k', Data });
  }
  const item = { LookupKey: 'CONNECTION', SortKey: 'abc=', connected_at: requestTime };
  const expected = [
    ['put', 'connections', item],
    ['post', 'http://sockets/dev', 'abc=', bodies[0]],
    ['post', 'http://sockets/dev', 'abc=', bodies[1]],
    ['post', 'http://sockets/dev', 'other=', bodies[1]],
  ].map((call) => JSON.stringify(call));
  const made = (): string[] =>
    readFileSync(calls, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(compact);
  for (let waits = 0; made().length < expected.length && waits < 300; waits += 1) await sleep(50);
  assert.deepEqual(made().toSorted(), expected.toSorted());
}

/** Python writes spaces behind commas and colons. */
function compact(line: string): string {
  return JSON.stringify(JSON.parse(line));
}
