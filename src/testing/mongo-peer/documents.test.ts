/** What the official driver does to documents; the same on a real server when MONGODB_URI names one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Decimal128, Double, Int32, Long, ObjectId, type Collection, type Document } from 'mongodb';
import { openTarget, type Target } from './peer.fixture.ts';

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('documents, by the driver', () => {
  let target: Target;
  let serial = 0;

  before(async () => {
    target = await openTarget();
  });
  after(async () => await target.close());

  function fresh(): Collection {
    serial += 1;
    return target.database.collection(`c${serial}`);
  }

  async function filled(...documents: readonly Document[]): Promise<Collection> {
    const collection = fresh();
    await collection.insertMany(documents.map((document) => ({ ...document })));
    return collection;
  }

  const numbers = [
    { _id: 1, a: 1, b: { c: 'x' }, list: [1, 2] },
    { _id: 2, a: 2.5, b: { c: 'y' }, list: [{ k: 1 }, { k: 5 }] },
    { _id: 3, a: Long.fromBigInt(9_007_199_254_740_993n), b: null },
    { _id: 4, a: 'text', list: [] },
  ] as unknown as Document[];

  test('filters find what they describe', async (t) => {
    const collection = await filled(...numbers);
    const table: [Document, number[]][] = [
      [{}, [1, 2, 3, 4]],
      [{ a: 1 }, [1]],
      [{ a: new Double(1) }, [1]],
      [{ a: { $eq: 2.5 } }, [2]],
      [{ a: { $ne: 1 } }, [2, 3, 4]],
      [{ a: { $gt: 1 } }, [2, 3]],
      [{ a: { $gte: 1, $lt: 3 } }, [1, 2]],
      [{ a: { $gt: Long.fromBigInt(9_007_199_254_740_992n) } }, [3]],
      [{ a: { $lte: 'text' } }, [4]],
      [{ a: { $in: [1, 'text'] } }, [1, 4]],
      [{ a: { $nin: [1, 'text'] } }, [2, 3]],
      [{ b: null }, [3, 4]],
      [{ b: { $exists: true } }, [1, 2, 3]],
      [{ b: { $exists: false } }, [4]],
      [{ 'b.c': 'y' }, [2]],
      [{ 'b.c': null }, [3, 4]],
      [{ list: 2 }, [1]],
      [{ list: [1, 2] }, [1]],
      [{ 'list.0': 1 }, [1]],
      [{ 'list.k': { $gt: 4 } }, [2]],
      [{ list: { $size: 0 } }, [4]],
      [{ $and: [{ a: { $gt: 0 } }, { 'b.c': 'x' }] }, [1]],
      [{ $or: [{ a: 1 }, { _id: 4 }] }, [1, 4]],
      [{ $nor: [{ a: 1 }, { _id: 4 }] }, [2, 3]],
      [{ a: { $not: { $gt: 1 } } }, [1, 4]],
      [{ b: { c: 'x' } }, [1]],
      [{ b: { c: 'x', d: 1 } }, []],
      [{ _id: { $in: [4, 1] } }, [1, 4]],
      [{ _id: 2, a: 3 }, []],
    ];
    for (const [filter, ids] of table) {
      await t.test(JSON.stringify(filter), async () => {
        const found = await collection.find(filter).sort({ _id: 1 }).toArray();
        assert.deepEqual(
          found.map((document) => document._id as unknown),
          ids,
        );
        assert.equal(await collection.countDocuments(filter), ids.length);
      });
    }
  });

  test('sort, skip, limit and projection', async () => {
    const collection = await filled(
      { _id: 1, a: 2, b: { c: 1, d: 2 } },
      { _id: 2, a: 'x', b: { c: 2 } },
      { _id: 3 },
      { _id: 4, a: [0, 9] },
      { _id: 5, a: 1 },
      { _id: 6, a: [] },
    );
    const ids = async (sort: Document, skip = 0, limit = 0): Promise<unknown[]> =>
      (await collection.find().sort(sort).skip(skip).limit(limit).toArray()).map((document) => document._id as unknown);
    assert.deepEqual(await ids({ a: 1 }), [6, 3, 4, 5, 1, 2]);
    assert.deepEqual(await ids({ a: -1 }), [2, 4, 1, 5, 3, 6]);
    assert.deepEqual(await ids({ 'b.c': -1, _id: -1 }), [2, 1, 6, 5, 4, 3]);
    assert.deepEqual(await ids({ _id: 1 }, 1, 2), [2, 3]);
    const shown = async (projection: Document): Promise<Document | null> =>
      await collection.findOne({ _id: 1 as unknown as ObjectId }, { projection });
    assert.deepEqual(await shown({ a: 1 }), { _id: 1, a: 2 });
    assert.deepEqual(await shown({ _id: 0, 'b.c': 1 }), { b: { c: 1 } });
    assert.deepEqual(await shown({ _id: 0, 'b.none': 1, 'a.none': 1 }), { b: {} });
    assert.deepEqual(await shown({ b: 0 }), { _id: 1, a: 2 });
    assert.deepEqual(await shown({ 'b.d': 0, _id: 0 }), { a: 2, b: { c: 1 } });
    await assert.rejects(shown({ a: 1, b: 0 }));
  });

  test('values of all types come back as they went in', async () => {
    const collection = fresh();
    const document = {
      _id: new ObjectId(),
      int: new Int32(7),
      double: new Double(7),
      long: Long.fromBigInt(-(2n ** 63n)),
      decimal: Decimal128.fromString('1.10'),
      date: new Date(1_234_567),
      nothing: null,
      bytes: Buffer.from([0, 255]),
      nested: { list: [[], {}, [{ a: true }]] },
      __proto__x: 'harmless',
    };
    await collection.insertOne(document);
    const found = await collection.findOne({}, { promoteValues: false, promoteLongs: false });
    assert.deepEqual(found?.['int'], new Int32(7));
    assert.deepEqual(found?.['double'], new Double(7));
    assert.deepEqual(found?.['long'], document.long);
    assert.deepEqual(found?.['decimal'], document.decimal);
    assert.deepEqual(found?.['date'], document.date);
    assert.deepEqual(found?.['nested'], document.nested);
  });

  test('operators change members', async (t) => {
    const old = { _id: 1, n: 5, o: { p: 1 }, list: [1, 2, 2] };
    const table: [Document, Document][] = [
      [{ $set: { n: 6, 'o.q': 2 } }, { n: 6, o: { p: 1, q: 2 } }],
      [{ $set: { 'x.y.z': 1 } }, { x: { y: { z: 1 } } }],
      [{ $set: { 'list.1': 9 } }, { list: [1, 9, 2] }],
      [{ $set: { 'list.4': 9 } }, { list: [1, 2, 2, null, 9] }],
      [{ $unset: { 'o.p': '', none: '' } }, { o: {} }],
      [{ $inc: { n: 2, m: -1 } }, { n: 7, m: -1 }],
      [{ $inc: { n: 0.5 } }, { n: 5.5 }],
      [{ $inc: { n: 2_147_483_647 } }, { n: 2_147_483_652 }],
      [
        { $min: { n: 3 }, $max: { m: 4 } },
        { n: 3, m: 4 },
      ],
      [{ $max: { n: 3 } }, {}],
      [{ $push: { list: 7, more: 1 } }, { list: [1, 2, 2, 7], more: [1] }],
      [{ $push: { list: { $each: [8, 9] } } }, { list: [1, 2, 2, 8, 9] }],
      [{ $addToSet: { list: { $each: [2, 3] } } }, { list: [1, 2, 2, 3] }],
      [{ $pull: { list: 2 } }, { list: [1] }],
      [{ $pull: { list: { $gte: 2 } } }, { list: [1] }],
      [{ $setOnInsert: { n: 100 } }, {}],
    ];
    for (const [update, expected] of table) {
      await t.test(JSON.stringify(update), async () => {
        const collection = await filled(old);
        const { matchedCount } = await collection.updateOne({ n: 5 }, update);
        assert.equal(matchedCount, 1);
        assert.deepEqual(await collection.findOne(), { ...old, ...expected });
      });
    }
  });

  test('updates that are refused change nothing', async (t) => {
    const table: [Document, number][] = [
      [{ $set: { _id: 2 } }, 66],
      [{ $set: { 'n.x': 1 } }, 28],
      [{ $set: { a: 1 }, $inc: { a: 1 } }, 40],
      [{ $set: { a: 1, 'a.b': 1 } }, 40],
      [{ $inc: { text: 1 } }, 14],
      [{ $inc: { n: 'x' } }, 14],
      [{ $push: { n: 1 } }, 2],
    ];
    for (const [update, code] of table) {
      await t.test(JSON.stringify(update), async () => {
        const old = { _id: 1, n: 5, text: 'x' };
        const collection = await filled(old);
        await assert.rejects(collection.updateOne({}, update), { code });
        assert.deepEqual(await collection.findOne(), old);
      });
    }
  });

  test('replacing, upserting, many at once', async () => {
    const collection = await filled({ _id: 1, a: 1 }, { _id: 2, a: 1 });
    const id = 3 as unknown as ObjectId;
    const replaced = await collection.replaceOne({ _id: 1 as unknown as ObjectId }, { b: 2 });
    assert.deepEqual([replaced.matchedCount, replaced.modifiedCount], [1, 1]);
    assert.deepEqual(await collection.findOne({ b: 2 }), { _id: 1, b: 2 });
    const again = await collection.replaceOne({ b: 2 }, { b: 2 });
    assert.deepEqual([again.matchedCount, again.modifiedCount], [1, 0]);

    const added = await collection.replaceOne({ _id: id }, { c: 1 }, { upsert: true });
    assert.deepEqual([added.upsertedCount, added.upsertedId], [1, 3]);
    assert.deepEqual(await collection.findOne({ c: 1 }), { _id: 3, c: 1 });
    await collection.updateOne({ k: 'v', n: { $gt: 1 } }, { $set: { a: 1 }, $setOnInsert: { s: 1 } }, { upsert: true });
    const made = await collection.findOne({ k: 'v' });
    assert.deepEqual({ ...made, _id: 0 }, { _id: 0, k: 'v', a: 1, s: 1 });

    const many = await collection.updateMany({ a: 1 }, { $inc: { a: 1 } });
    assert.deepEqual([many.matchedCount, many.modifiedCount], [2, 2]);
    const gone = await collection.deleteMany({ a: 2 });
    assert.equal(gone.deletedCount, 2);
    assert.equal((await collection.deleteOne({})).deletedCount, 1);
    assert.equal(await collection.countDocuments(), 1);
  });

  test('one _id is there once, whatever the type of its number', async () => {
    const collection = await filled({ _id: 1 });
    for (const id of [1, new Double(1), Long.fromNumber(1)]) {
      await assert.rejects(collection.insertOne({ _id: id as unknown as ObjectId }), (error: unknown) => {
        const { code, keyPattern, message } = error as { code: number; keyPattern: Document; message: string };
        assert.equal(code, 11_000);
        assert.deepEqual(keyPattern, { _id: 1 });
        return /^E11000 duplicate key error collection: \S+ index: _id_ dup key: \{ _id: 1(\.0)? \}$/.test(message);
      });
    }
  });

  test('bulk writes stop at an error when ordered, and go on when not', async () => {
    const operations = [
      { insertOne: { document: { _id: 1 as unknown as ObjectId } } },
      { insertOne: { document: { _id: 1 as unknown as ObjectId } } },
      { replaceOne: { filter: { _id: 2 as unknown as ObjectId }, replacement: { a: 1 }, upsert: true } },
      { updateOne: { filter: { a: 1 }, update: { $set: { b: 1 } } } },
      { deleteOne: { filter: { _id: 1 as unknown as ObjectId } } },
    ];
    for (const [ordered, left] of [
      [true, [{ _id: 1 }]],
      [false, [{ _id: 2, a: 1, b: 1 }]],
    ] as const) {
      const collection = fresh();
      await assert.rejects(collection.bulkWrite(operations, { ordered }), { code: 11_000 });
      assert.deepEqual(await collection.find().toArray(), left);
    }
  });

  test('findOneAnd… give the document as it was, or as it is then', async () => {
    const collection = await filled({ _id: 1, a: 1 }, { _id: 2, a: 2 });
    const [sort, set] = [{ a: -1 } as const, { $set: { b: 1 } }];
    assert.deepEqual(await collection.findOneAndUpdate({}, set, { sort }), { _id: 2, a: 2 });
    const returnDocument = 'after';
    assert.deepEqual(await collection.findOneAndUpdate({}, set, { sort, returnDocument }), { _id: 2, a: 2, b: 1 });
    assert.deepEqual(await collection.findOneAndReplace({ a: 1 }, { c: 3 }, { projection: { a: 1 } }), {
      _id: 1,
      a: 1,
    });
    assert.equal(await collection.findOneAndUpdate({ no: 1 }, set), null);
    const added = await collection.findOneAndUpdate({ no: 1 }, set, { upsert: true, returnDocument });
    assert.deepEqual({ ...added, _id: 0 }, { _id: 0, no: 1, b: 1 });
    assert.deepEqual(await collection.findOneAndDelete({ c: 3 }), { _id: 1, c: 3 });
    assert.equal(await collection.findOneAndDelete({ c: 3 }), null);
  });

  test('cursors give everything in batches, once', async () => {
    const collection = await filled(...Array.from({ length: 1000 }, (_, index) => ({ _id: index })));
    const found = await collection.find().batchSize(7).toArray();
    assert.deepEqual(
      found.map((document) => document._id as unknown),
      Array.from({ length: 1000 }, (_, index) => index),
    );
    const cursor = collection.find().batchSize(2);
    await cursor.next();
    await cursor.close();
    assert.equal((await collection.find().limit(5).batchSize(2).toArray()).length, 5);
  });

  test('aggregation, distinct values and counts', async () => {
    const collection = await filled(
      { _id: 1, k: 'a', n: 1 },
      { _id: 2, k: 'b', n: 2 },
      { _id: 3, k: 'a', n: 2.5, l: [1, 2, 2] },
    );
    const stages = [
      { $match: { n: { $gt: 0 } } },
      { $group: { _id: '$k', sum: { $sum: '$n' }, count: { $sum: 1 } } },
      { $sort: { _id: 1 } },
    ];
    assert.deepEqual(await collection.aggregate(stages).toArray(), [
      { _id: 'a', sum: 3.5, count: 2 },
      { _id: 'b', sum: 2, count: 1 },
    ]);
    assert.deepEqual(
      await collection
        .aggregate([{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 1 }, { $project: { k: 1 } }])
        .toArray(),
      [{ _id: 2, k: 'b' }],
    );
    assert.deepEqual(await collection.aggregate([{ $count: 'all' }]).toArray(), [{ all: 3 }]);
    assert.deepEqual(
      (await collection.distinct('l')).toSorted((one, other) => Number(one) - Number(other)),
      [1, 2],
    );
    assert.deepEqual(await collection.distinct('k', { n: { $lt: 2 } }), ['a']);
    assert.equal(await collection.estimatedDocumentCount(), 3);
  });
});
