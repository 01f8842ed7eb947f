import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, refused } from './cli.fixture.ts';

const DELIVERY = {
  name: 'out',
  state: 'retrying',
  failure: 'HTTP 503',
  source: 'events',
  destination: 'HttpEndpointDestinationConfiguration',
  objectsDelivered: 2,
  recordsDelivered: 20,
  recordsFailed: 1,
  recordsLost: 3,
  possibleDuplicates: 0,
  unprocessedRecords: 7,
  buffer: { records: 4, bytes: 400, bytesMax: 1048576, intervalMs: 60000, dueInMs: 12345 },
  underway: { place: 'request-1', records: 10, bytes: 1000 },
  nextAttemptInMs: 2000,
  backup: {
    objectsDelivered: 3,
    recordsDelivered: 30,
    lagRecords: 5,
    lastObject: '/data/buckets/b/k',
    failure: 'no bucket',
  },
  replays: [
    { id: 'abc', state: 'retrying', failure: 'HTTP 503', recordsDelivered: 5 },
    { id: 'def', state: 'waiting', recordsDelivered: 0 },
  ],
  shards: [{ shardId: 'shardId-000000000000', position: '49', lagRecords: 14, lagMs: null }],
  attempts: [
    {
      at: '2026-01-31T12:00:00.000Z',
      ms: 30,
      outcome: 'failed',
      status: 503,
      records: 0,
      refused: 0,
      code: 'HttpEndpoint.DestinationException',
      message: 'HTTP\n503',
    },
  ],
};

test('inspect says what a delivery does and what keeps it', async () => {
  const replies = { 'GET /admin/deliveries/out': () => DELIVERY };
  const { code, out } = await millrace(['inspect', 'out'], { replies });
  assert.equal(code, 0);
  assert.equal(
    out,
    [
      'delivery      out: events -> HttpEndpointDestinationConfiguration',
      'state         retrying: HTTP 503',
      'delivered     20 records in 2 batches',
      'failed        1 records',
      'lost          3 records, gone before they were delivered',
      'unprocessed   7 records wait for the function',
      'buffer        4 records, 400 of 1048576 bytes, leaves in 12.3 s',
      'under way     10 records, 1000 bytes to request-1',
      'next attempt  in 2 s',
      'backup        30 records in 3 objects, 5 wait',
      '              last /data/buckets/b/k',
      '              retrying: no bucket',
      'replay        abc retrying, 5 records delivered: HTTP 503',
      'replay        def waiting, 0 records delivered',
      '',
      'SHARD                 POSITION  WAITING  LAG',
      'shardId-000000000000  49        14       not known',
      '',
      'ATTEMPT                   TOOK   OUTCOME  STATUS  ARRIVED  REFUSED  REASON',
      '2026-01-31T12:00:00.000Z  30 ms  failed   503     0        0        HttpEndpoint.DestinationException: HTTP 503',
      '',
    ].join('\n'),
  );
});

test('inspect --record says where it went; --json gives what the node said', async () => {
  const fate = { state: 'delivered', place: '/data/buckets/b/k', attempts: 1, offset: 12 };
  const replies = { 'GET /admin/deliveries/out/records/49': () => fate };
  const shown = await millrace(['inspect', 'out', '--record', '49'], { replies });
  assert.equal(shown.out, 'state     delivered\nplace     /data/buckets/b/k\nattempts  1\noffset    12\n');
  const json = await millrace(['inspect', 'out', '--record', '49', '--json'], { replies });
  assert.deepEqual(JSON.parse(json.out), fate);
});

test('inspect of what is not there ends with 1', async () => {
  const replies = { 'GET /admin/deliveries/x': () => refused(404, { message: 'no delivery x' }) };
  const { code, err } = await millrace(['inspect', 'x'], { replies });
  assert.deepEqual([code, err], [1, 'millrace: no delivery x\n']);
});
