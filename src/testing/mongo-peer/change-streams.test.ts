/** What the official driver sees of changes; the same on a real server (a replica set) when MONGODB_URI names one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ChangeStream, ChangeStreamOptions, Collection, Document, ObjectId, ResumeToken } from 'mongodb';
import { openTarget, type Target } from './peer.fixture.ts';

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('change streams, by the driver', () => {
  let target: Target;
  let serial = 0;

  before(async () => {
    target = await openTarget();
  });
  after(async () => await target.close());

  async function fresh(): Promise<Collection> {
    serial += 1;
    return await target.database.createCollection(`s${serial}`);
  }

  /** A stream that has begun: what is written from now on is its. */
  async function watch(
    on: { watch: Collection['watch'] },
    pipeline: Document[] = [],
    options: ChangeStreamOptions = {},
  ): Promise<ChangeStream> {
    const stream = on.watch(pipeline, { maxAwaitTimeMS: 50, ...options });
    await stream.tryNext();
    return stream;
  }

  async function take(stream: ChangeStream, count: number): Promise<Document[]> {
    const events: Document[] = [];
    while (events.length < count) events.push(await stream.next());
    return events;
  }

  const one = { _id: 1 as unknown as ObjectId };

  test('each write is told, in order, with what it did', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stream = await watch(collection);
    await collection.insertOne({ ...one, a: { b: 1 }, l: [1, 2, 3] });
    await collection.updateOne(one, { $set: { 'a.b': 2 }, $unset: { none: '' } });
    await collection.updateOne(one, { $set: { 'a.b': 2 } });
    await collection.updateOne(one, { $push: { l: 4 } } as Document);
    await collection.updateOne(one, { $unset: { a: '' } });
    await collection.replaceOne(one, { c: 1 });
    await collection.deleteOne(one);
    const events = await take(stream, 6);
    await stream.close();
    const told = events.map(({ operationType, documentKey, fullDocument, updateDescription }) => ({
      operationType,
      documentKey,
      ...(fullDocument !== undefined && { fullDocument }),
      ...(updateDescription !== undefined && { updateDescription }),
    }));
    const update = (updatedFields: Document, removedFields: string[] = []): Document => ({
      operationType: 'update',
      documentKey: one,
      updateDescription: { updatedFields, removedFields, truncatedArrays: [] },
    });
    assert.deepEqual(told, [
      { operationType: 'insert', documentKey: one, fullDocument: { ...one, a: { b: 1 }, l: [1, 2, 3] } },
      update({ 'a.b': 2 }),
      update({ 'l.3': 4 }),
      update({}, ['a']),
      { operationType: 'replace', documentKey: one, fullDocument: { ...one, c: 1 } },
      { operationType: 'delete', documentKey: one },
    ]);
    const { databaseName } = target.database;
    for (const { ns, clusterTime, wallTime } of events) {
      assert.deepEqual(ns, { db: databaseName, coll: collection.collectionName });
      assert.equal((clusterTime as Document)['_bsontype'], 'Timestamp');
      assert.ok(wallTime instanceof Date);
    }
    const tokens = events.map(({ _id }) => (_id as { _data: string })._data);
    assert.deepEqual(tokens, tokens.toSorted());
  });

  test('updateLookup gives the document as it is now, null when it is gone', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stream = await watch(collection, [], { fullDocument: 'updateLookup' });
    await collection.insertOne({ ...one, n: 0 });
    await collection.updateOne(one, { $set: { n: 1 } });
    assert.deepEqual((await take(stream, 2))[1]?.['fullDocument'], { ...one, n: 1 });
    await collection.updateOne(one, { $set: { n: 2 } });
    await collection.deleteOne(one);
    assert.equal((await take(stream, 1))[0]?.['fullDocument'], null);
    await stream.close();
  });

  test('a stream goes on behind a token, a batch token, or at a time', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stream = await watch(collection);
    await collection.insertMany([1, 2, 3].map((id) => ({ _id: id as unknown as ObjectId })));
    const [first, second] = await take(stream, 3);
    const behindAll = stream.resumeToken;
    await stream.close();
    await collection.insertOne({ _id: 4 as unknown as ObjectId });
    const table: [ChangeStreamOptions, number[]][] = [
      [{ resumeAfter: first?.['_id'] as ResumeToken }, [2, 3, 4]],
      [{ startAfter: second?.['_id'] as ResumeToken }, [3, 4]],
      [{ startAtOperationTime: second?.['clusterTime'] as never }, [2, 3, 4]],
      [{ resumeAfter: behindAll }, [4]],
    ];
    for (const [options, ids] of table) {
      const again = collection.watch([], { maxAwaitTimeMS: 50, ...options });
      const events = await take(again, ids.length);
      await again.close();
      assert.deepEqual(
        events.map((event) => (event['documentKey'] as Document)['_id'] as unknown),
        ids,
      );
    }
  });

  test('the token moves while nothing of the collection happens', { timeout: 30_000 }, async () => {
    const [collection, other] = [await fresh(), await fresh()];
    const stream = await watch(collection);
    const before = stream.resumeToken as { _data: string };
    await other.insertOne({});
    while ((stream.resumeToken as { _data: string })._data === before._data) await stream.tryNext();
    await stream.close();
  });

  test('stages choose and shape events', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stages = [
      { $match: { operationType: 'insert', 'fullDocument.n': { $gt: 1 } } },
      { $project: { fullDocument: 1 } },
    ];
    const stream = await watch(collection, stages);
    await collection.insertMany([1, 2].map((n) => ({ _id: n as unknown as ObjectId, n })));
    const [event] = await take(stream, 1);
    await stream.close();
    assert.deepEqual(Object.keys(event ?? {}), ['_id', 'fullDocument']);
    assert.equal((event?.['fullDocument'] as Document | undefined)?.['n'], 2);
  });

  test('a database and a whole server can be watched', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const ns = { 'ns.coll': collection.collectionName };
    const [ofDatabase, ofAll] = [
      await watch(target.database, [{ $match: ns }]),
      await watch(target.client, [{ $match: ns }]),
    ];
    await collection.insertOne(one);
    for (const stream of [ofDatabase, ofAll]) {
      const [event] = await take(stream, 1);
      assert.deepEqual(event?.['documentKey'], one);
      await stream.close();
    }
  });

  test('with its collection a stream ends; only startAfter goes on behind the end', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stream = await watch(collection);
    await collection.insertOne(one);
    await collection.drop();
    const events = await take(stream, 3);
    assert.deepEqual(
      events.map(({ operationType }) => operationType as unknown),
      ['insert', 'drop', 'invalidate'],
    );
    await assert.rejects(stream.next());
    await collection.insertOne(one);

    const behindDrop = collection.watch([], { resumeAfter: events[1]?.['_id'] as ResumeToken });
    assert.equal((await take(behindDrop, 1))[0]?.['operationType'], 'invalidate');
    await behindDrop.close();
    const refused = collection.watch([], { resumeAfter: events[2]?.['_id'] as ResumeToken });
    await assert.rejects(refused.next(), { code: 260 });
    const after = collection.watch([], { startAfter: events[2]?.['_id'] as ResumeToken });
    assert.equal((await take(after, 1))[0]?.['operationType'], 'insert');
    await after.close();
  });

  test('a pipeline that loses the token ends the stream', { timeout: 30_000 }, async () => {
    const collection = await fresh();
    const stream = await watch(collection, [{ $project: { _id: 0 } }]);
    await collection.insertOne(one);
    await assert.rejects(stream.next());
  });
});
