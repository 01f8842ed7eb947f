/** The services of functions: Kinesis and Firehose of a real node, MongoDB of the bundled peer, or of MONGODB_URI. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { openTarget, type Target } from '../../../testing/mongo-peer/peer.fixture.ts';
import { bodyOf, place, startNode, type Node, type Around, type Placed } from './realm.fixture.ts';

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('services of functions', () => {
  let node: Node;
  let target: Target;

  before(async () => {
    node = await startNode();
    target = await openTarget();
  });
  after(async () => {
    await target.close();
    await node.stop();
  });

  function around(): Around {
    return {
      services: { AWSKinesis: { kinesis: {} }, 'mongodb-atlas': { mongodb: target.uri } },
      variables: node.variables,
    };
  }

  async function run(code: string, event: unknown = {}): Promise<unknown> {
    const placed = place(code, around());
    try {
      return await placed.run(event);
    } finally {
      await placed.close();
    }
  }

  const kinesis = 'context.services.get("AWSKinesis").kinesis("us-east-1")';
  const documents = (name: string): string =>
    `context.services.get("mongodb-atlas").db("${target.database.databaseName}").collection("${name}")`;

  test('records are put, and read again as Binary', async () => {
    const [put, many, records] = (await run(`exports = async function () {
    const kinesis = ${kinesis}
    const put = await kinesis.PutRecord({ Data: "hé", StreamName: "realm", PartitionKey: "1" })
    const many = await kinesis.PutRecords({ StreamName: "realm", Records: [
      { Data: BSON.Binary.fromHex("00ff"), PartitionKey: "1" }, { Data: new Uint8Array([1]), PartitionKey: "1" }] })
    const { ShardIterator } = await kinesis.GetShardIterator({ StreamName: "realm", ShardId: put.ShardId, ShardIteratorType: "TRIM_HORIZON" })
    const { Records } = await kinesis.GetRecords({ ShardIterator, Limit: BSON.Int32(10) })
    return [put, many, Records.map(({ Data }) => Data.toBase64())]
  }`)) as [Record<string, string>, { FailedRecordCount: number }, string[]];
    assert.equal(put['ShardId'], 'shardId-000000000000');
    assert.match(put['SequenceNumber'] ?? '', /^\d{56}$/);
    assert.equal(many.FailedRecordCount, 0);
    assert.deepEqual(records, ['aMOp', 'AP8=', 'AQ==']);
  });

  test('Firehose, and what AWS refuses', async () => {
    const code = 'exports = () => context.services.get("AWSKinesis").firehose().ListDeliveryStreams({})';
    assert.deepEqual(await run(code), { DeliveryStreamNames: [], HasMoreDeliveryStreams: false });
    const refused = `exports = () => ${kinesis}.PutRecord({ Data: "x", StreamName: "none", PartitionKey: "1" })
    .catch(({ code, statusCode, message }) => [code, statusCode, message.startsWith(code)])`;
    assert.deepEqual(await run(refused), ['ResourceNotFoundException', 400, true]);
    await assert.rejects(run('exports = () => context.services.get("AWSKinesis").s3()'), /s3 is not built/);
  });

  test('what was throttled is tried again, what was refused is not', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      requests += 1;
      const isThrottled = requests === 1;
      response.statusCode = isThrottled ? 400 : 403;
      response.end(
        JSON.stringify({ __type: isThrottled ? 'ProvisionedThroughputExceededException' : 'AccessDeniedException' }),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const variables = { ...around().variables, AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${port}` };
    const placed = place(`exports = () => ${kinesis}.PutRecord({})`, { ...around(), variables });
    await assert.rejects(placed.run({}), { code: 'AccessDeniedException' });
    assert.equal(requests, 2);
    await placed.close();
    server.closeAllConnections();
    server.close();
  });

  test('the answer waits for what was started and not returned', async () => {
    const code = `exports = function (payload, response) {
    ${kinesis}.PutRecord({ Data: "x", StreamName: "realm", PartitionKey: "1" })
      .then(() => ${documents('waits')}.insertOne({ _id: 1 }))
      .then(({ insertedId }) => { response.setBody(String(insertedId)) })
  }`;
    const placed = place(code, around());
    assert.equal(bodyOf(await placed.request({})), '1');
    await placed.close();
  });

  test('documents: what functions call, and what they get', async (t) => {
    const c = documents('calls');
    const table: [string, unknown][] = [
      [`${c}.insertOne({ _id: 1, n: 1 })`, { insertedId: 1 }],
      [`${c}.insertMany([{ _id: 2, n: 2 }, { _id: 3, n: 3 }])`, { insertedIds: [2, 3] }],
      [`${c}.find({ n: { $gt: 1 } }, { n: 1, _id: 0 }).sort({ n: -1 }).limit(1).toArray()`, [{ n: 3 }]],
      [`${c}.find().sort({ _id: 1 }).skip(2).map(({ n }) => ({ n })).toArray()`, [{ n: 3 }]],
      [`${c}.find().count()`, 3],
      [`${c}.find({ n: 2 }).next()`, { _id: 2, n: 2 }],
      [`${c}.findOne({ n: 2 }, { _id: 0 })`, { n: 2 }],
      [`${c}.findOne({ n: 9 })`, null],
      [`${c}.count({ n: { $lt: 3 } })`, 2],
      [`${c}.distinct("n")`, [1, 2, 3]],
      [`${c}.aggregate([{ $match: { n: { $gte: 2 } } }, { $count: "all" }]).toArray()`, [{ all: 2 }]],
      [`${c}.updateOne({ _id: 1 }, { $set: { a: 1 } })`, { matchedCount: 1, modifiedCount: 1 }],
      [`${c}.updateOne({ _id: 1 }, { b: 1 })`, { matchedCount: 1, modifiedCount: 1 }],
      [`${c}.findOne({ _id: 1 })`, { _id: 1, b: 1 }],
      [`${c}.updateOne({ _id: 4 }, { c: 1 }, { upsert: true })`, { matchedCount: 0, modifiedCount: 0, upsertedId: 4 }],
      [`${c}.updateMany({ n: { $gte: 2 } }, { $inc: { n: 1 } })`, { matchedCount: 2, modifiedCount: 2 }],
      [`${c}.replaceOne({ _id: 4 }, { d: 1 })`, { matchedCount: 1, modifiedCount: 1 }],
      [`${c}.findOneAndUpdate({ _id: 4 }, { $set: { e: 1 } })`, { _id: 4, d: 1 }],
      [`${c}.findOneAndUpdate({ _id: 4 }, { f: 1 }, { returnNewDocument: true })`, { _id: 4, f: 1 }],
      [`${c}.findOneAndReplace({ _id: 4 }, { g: 1 }, { returnNewDocument: true, projection: { _id: 0 } })`, { g: 1 }],
      [`${c}.findOneAndDelete({ _id: 4 })`, { _id: 4, g: 1 }],
      [`${c}.deleteOne({ _id: 1 })`, { deletedCount: 1 }],
      [`${c}.deleteMany({})`, { deletedCount: 2 }],
      [`${c}.insertOne({ _id: 1 }).then(() => ${c}.insertOne({ _id: 1 })).catch(({ code }) => code)`, 11_000],
    ];
    const placed = place('exports = ({ code }) => eval(code)', around());
    for (const [code, expected] of table) {
      await t.test(code.replace(c, 'collection'), async () => assert.deepEqual(await placed.run({ code }), expected));
    }
    await placed.close();
  });

  test('a bulk replaces where an update has no operators, and does each kind of operation', async () => {
    const c = documents('bulk');
    const result = await run(`exports = function () {
    const bulk = ${c}.initializeOrderedBulkOp()
    bulk.insert({ _id: 1, a: 1 })
    bulk.find({ _id: 1 }).upsert().updateOne({ b: 1 })
    bulk.find({ _id: 2 }).upsert().updateOne({ b: 2 })
    bulk.find({ _id: 2 }).updateOne({ $set: { c: 2 } })
    bulk.find({ b: { $gt: 0 } }).update({ $inc: { b: 10 } })
    bulk.find({ _id: 3 }).upsert().replaceOne({ d: 3 })
    bulk.find({ d: 3 }).removeOne()
    return bulk.execute()
  }`);
    const counts = { insertedCount: 1, matchedCount: 4, modifiedCount: 4, deletedCount: 1, upsertedCount: 2 };
    assert.deepEqual(result, { ...counts, insertedIds: { 0: 1 }, upsertedIds: { 2: 2, 5: 3 } });
    assert.deepEqual(await target.database.collection('bulk').find().sort({ _id: 1 }).toArray(), [
      { _id: 1, b: 11 },
      { _id: 2, b: 12, c: 2 },
    ]);
    const again = `exports = () => ${c}.bulkWrite([{ updateOne: { filter: { _id: 1 }, update: { z: 1 } } }, { deleteOne: { filter: { _id: 2 } } }])`;
    await run(again);
    assert.deepEqual(await target.database.collection('bulk').find().toArray(), [{ _id: 1, z: 1 }]);
  });

  test('an ordered bulk stops at the first failure, an unordered one goes on', async () => {
    const count = async (kind: string): Promise<unknown> =>
      await run(`exports = async function () {
      const bulk = ${documents(kind)}.initialize${kind}BulkOp()
      for (const _id of [1, 1, 2]) bulk.insert({ _id })
      const code = await bulk.execute().catch(({ code }) => code)
      return [code, await ${documents(kind)}.count()]
    }`);
    assert.deepEqual(
      [await count('Ordered'), await count('Unordered')],
      [
        [11_000, 1],
        [11_000, 2],
      ],
    );
  });

  test('what is not built of a collection says so', async () => {
    await assert.rejects(run(`exports = () => ${documents('c')}.watch()`), /collection\.watch is not built/);
    await assert.rejects(
      run(`exports = () => ${documents('c')}.initializeOrderedBulkOp().find({}).hint({})`),
      /hint is not built/,
    );
    await assert.rejects(run(`exports = () => ${documents('c')}.insertOne(7)`), TypeError);
  });

  test('a service that is a wrong URI is not told with its password', async () => {
    const services = { db: { mongodb: 'http://user:secret@nowhere' } };
    const placed: Placed = place('exports = () => context.services.get("db").db("a").collection("b").findOne()', {
      services,
    });
    await assert.rejects(placed.run({}), (error: unknown) => !String((error as Error).stack).includes('secret'));
    await placed.close();
  });
});
