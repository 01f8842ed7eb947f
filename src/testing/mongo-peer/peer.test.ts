/** Failures by script, bounds, and what a peer refuses; the driver must get on with each of them. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { Decimal128, Long, MongoBulkWriteError, type Document, type ObjectId } from 'mongodb';
import { openPeer } from './peer.fixture.ts';

const one = { _id: 1 as unknown as ObjectId };
const told = { code: 11_000, message: 'E11000 by script' };

function bulkError(error: unknown): MongoBulkWriteError {
  assert.ok(error instanceof MongoBulkWriteError);
  return error;
}

test('after error 91 the driver goes on with the right token; 286 ends the stream', { timeout: 30_000 }, async () => {
  const { peer, database, client, close } = await openPeer();
  const collection = database.collection('c');
  const seen: unknown[] = [];
  client.on('commandStarted', ({ command }) => {
    const [stage] = (command['pipeline'] as Document[] | undefined) ?? [];
    if (stage?.['$changeStream'] !== undefined) seen.push((stage['$changeStream'] as Document)['resumeAfter']);
  });
  const stream = collection.watch([], { maxAwaitTimeMS: 100 });
  await stream.tryNext();
  await collection.insertOne({ n: 1 });
  const first = (await stream.next()) as Document;
  peer.fail({ commands: ['getMore'], times: 1, errorCode: 91 });
  await collection.insertOne({ n: 2 });
  assert.equal(((await stream.next()) as Document)['fullDocument'].n, 2);
  await database.admin().command({
    configureFailPoint: 'failCommand',
    mode: { times: 1 },
    data: { failCommands: ['getMore'], errorCode: 286 },
  });
  await assert.rejects(stream.next(), { code: 286 });

  const late = collection.watch([], { resumeAfter: first['_id'] });
  peer.forgetHistory();
  await assert.rejects(late.next(), { code: 286, codeName: 'ChangeStreamHistoryLost' });
  await close();
});

test('a write whose connection ends before or after it is there exactly once', { timeout: 30_000 }, async () => {
  const { peer, database, close } = await openPeer();
  const collection = database.collection('c');
  await collection.insertOne({ ...one, n: 0 });
  for (const closeConnection of ['before', 'after'] as const) {
    peer.fail({ commands: ['update'], times: 1, closeConnection });
    await collection.updateOne(one, { $inc: { n: 1 } });
  }
  assert.deepEqual(await collection.findOne(), { ...one, n: 2 });
  peer.fail({ commands: ['insert'], times: 1, errorCode: 11_000, errorMessage: 'E11000 by script' });
  await assert.rejects(collection.insertOne({}), { code: 11_000 });
  await close();
});

test('one statement fails by script, and the driver tells which', { timeout: 30_000 }, async () => {
  const { peer, database, close } = await openPeer();
  const collection = database.collection<{ _id: number; n?: number }>('c');
  const failure = { times: 1, errorCode: 11_000, errorMessage: 'E11000 by script' } as const;
  peer.fail({ ...failure, commands: ['insert'], writeErrorAt: 0 });
  await assert.rejects(collection.insertOne({ _id: 0 }), { name: 'MongoServerError', ...told });
  for (const ordered of [true, false]) {
    await collection.deleteMany({});
    peer.fail({ ...failure, commands: ['insert'], writeErrorAt: 1 });
    const error = await collection
      .insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }], { ordered })
      .then(() => assert.fail('no error'), bulkError);
    const [{ index, code, errmsg } = assert.fail('no error of a write')] = [error.writeErrors].flat();
    assert.deepEqual({ index, code, errmsg }, { index: 1, code: 11_000, errmsg: failure.errorMessage });
    const left = ordered ? [1] : [1, 3];
    assert.equal(error.insertedCount, left.length);
    assert.deepEqual(await collection.distinct('_id'), left);
  }
  peer.fail({ ...failure, commands: ['update'], writeErrorAt: 0 });
  await assert.rejects(collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { upsert: true }), told);
  assert.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1 });
  await collection.updateOne({ _id: 1 }, { $set: { n: 1 } });
  assert.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, n: 1 });
  await close();
});

test('what it does not know is refused, with the error of a server', { timeout: 30_000 }, async (t) => {
  const { database, close } = await openPeer();
  const collection = database.collection('c');
  await collection.insertOne({ ...one, d: Decimal128.fromString('1'), list: [{ a: 1 }] });
  const table: [string, () => Promise<unknown>, number][] = [
    ['a command', async () => await database.command({ listCollections: 1 }), 59],
    ['a command by an inherited name', async () => await database.command({ toString: 1 }), 59],
    ['a member of a command', async () => await database.command({ find: 'c', collation: { locale: 'de' } }), 40_415],
    ['an operator of a filter', async () => await collection.findOne({ a: { $regex: 'x' } }), 2],
    ['a regular expression', async () => await collection.findOne({ a: /x/ }), 2],
    ['an operator at the top', async () => await collection.findOne({ $where: 'true' }), 2],
    ['an operator of an update', async () => await collection.updateOne({}, { $rename: { a: 'b' } }), 2],
    ['an update by a pipeline', async () => await collection.updateOne({}, [{ $set: { a: 1 } }]), 2],
    ['a positional path', async () => await collection.updateOne({}, { $set: { 'list.$.a': 1 } }), 2],
    [
      'a modifier',
      async () => await collection.updateOne({}, { $push: { list: { $each: [1], $slice: 1 } } } as Document),
      2,
    ],
    ['a projection', async () => await collection.findOne({}, { projection: { list: { $slice: 1 } } } as Document), 2],
    ['a projection through a list', async () => await collection.findOne({}, { projection: { 'list.a': 1 } }), 2],
    ['a stage', async () => await collection.aggregate([{ $lookup: {} }]).toArray(), 2],
    ['the order of a Decimal128', async () => await collection.findOne({ d: { $gt: 0 } }), 2],
    ['an index', async () => await collection.createIndex({ a: 1 }), 59],
    [
      'a cursor that is not there',
      async () => await database.command({ getMore: Long.fromNumber(1), collection: 'c' }),
      43,
    ],
    ['before-images', async () => await collection.watch([], { fullDocumentBeforeChange: 'required' }).next(), 2],
    ['a foreign token', async () => await collection.watch([], { resumeAfter: { _data: '8266' } }).next(), 260],
  ];
  for (const [what, act, code] of table) await t.test(what, async () => await assert.rejects(act(), { code }));
  await t.test('a transaction', async () => {
    const { client } = database;
    const session = client.startSession();
    session.startTransaction();
    await assert.rejects(collection.insertOne({}, { session }), { code: 263 });
    await session.endSession();
  });
  await t.test('a multi update without operators', async () => {
    const { writeErrors } = await database.command({ update: 'c', updates: [{ q: {}, u: { a: 1 }, multi: true }] });
    assert.deepEqual(
      (writeErrors as Document[]).map(({ index, code }) => [index, code] as unknown),
      [[0, 9]],
    );
  });
  assert.equal(await collection.countDocuments(), 1);
  await close();
});

test('its memory has a bound, and so has the past', { timeout: 30_000 }, async () => {
  const { database, close } = await openPeer({ documentBytesMax: 10_000, eventsMax: 3 });
  const collection = database.collection('c');
  await collection.insertOne({ ...one, text: 'x'.repeat(6000) });
  await assert.rejects(collection.insertOne({ text: 'x'.repeat(6000) }), { code: 14_031 });
  await collection.replaceOne(one, { text: 'x'.repeat(7000) });
  await collection.deleteMany({});
  await collection.insertOne({ text: 'x'.repeat(9000) });
  const stream = collection.watch();
  await stream.tryNext();
  const { resumeToken } = stream;
  await stream.close();
  for (let n = 0; n < 4; n += 1) await collection.updateOne({}, { $inc: { n: 1 } });
  await assert.rejects(collection.watch([], { resumeAfter: resumeToken }).next(), { code: 286 });
  await close();
});

test('writes that want no answer get none', { timeout: 30_000 }, async () => {
  const { database, close } = await openPeer();
  const collection = database.collection('c', { writeConcern: { w: 0 } });
  for (let n = 0; n < 10; n += 1) await collection.insertOne({ n });
  while ((await collection.countDocuments()) < 10);
  await close();
});

test('bytes that are no message end their connection and nothing else', { timeout: 30_000 }, async (t) => {
  const { peer, database, close } = await openPeer();
  const header = (length: number, code: number, rest: readonly number[] = []): Buffer => {
    const bytes = Buffer.alloc(Math.max(16, 16 + rest.length));
    bytes.writeInt32LE(length, 0);
    bytes.writeInt32LE(code, 12);
    bytes.set(rest, 16);
    return bytes;
  };
  const table: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['a negative length', header(-1, 2013)],
    ['a length without a body', header(16, 2013)],
    ['2 GiB', header(0x7f_ff_ff_ff, 2013)],
    [
      'compression',
      header(
        26,
        2012,
        Array.from({ length: 10 }, () => 0),
      ),
    ],
    ['no section', header(21, 2013, [0, 0, 0, 0, 9])],
    ['a checksum', header(26, 2013, [1, 0, 0, 0, 0, 5, 0, 0, 0, 0])],
    ['unknown flags', header(26, 2013, [4, 0, 0, 0, 0, 5, 0, 0, 0, 0])],
    ['no database', header(26, 2013, [0, 0, 0, 0, 0, 5, 0, 0, 0, 0])],
    ['a section past the end', header(26, 2013, [0, 0, 0, 0, 0, 9, 0, 0, 0, 0])],
    ['a section of length 0', header(26, 2013, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0])],
    ['a broken document', header(28, 2013, [0, 0, 0, 0, 0, 7, 0, 0, 0, 99, 99, 0])],
    ['a short query', header(21, 2004, [0, 0, 0, 0, 0])],
  ];
  for (const [what, bytes] of table) {
    await t.test(what, async () => {
      const socket = connect(peer.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(bytes);
      await once(socket, 'close');
      assert.deepEqual(await database.command({ ping: 1 }).then(({ ok }) => ok as unknown), 1);
    });
  }
  await close();
});

test('any bytes at all leave it standing', { timeout: 30_000 }, async () => {
  const { peer, database, close } = await openPeer();
  let state = 1;
  const chance = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0);
  for (let round = 0; round < 200; round += 1) {
    const bytes = Buffer.from(
      Array.from({ length: 40 + (chance() % 60) }, () => ((chance() >>> 16) % 4 === 0 ? (chance() >>> 16) & 255 : 0)),
    );
    bytes.writeInt32LE(bytes.length, 0);
    bytes.writeInt32LE(2013, 12);
    const socket = connect(peer.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  assert.equal((await database.command({ ping: 1 }))['ok'], 1);
  await close();
});
