import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ObjectId, type Document } from 'mongodb';
import { DeliveryError } from '../../kernel/errors.ts';
import type { DocumentPlace, DocumentStore, DocumentText } from '../../ports/document-store.ts';
import { openPeer, openTarget, type Target } from '../../testing/mongo-peer/peer.fixture.ts';
import { createMongodbStore } from './index.ts';

const live = new AbortController().signal;
const ID = '0123456789abcdef01234567';

function texts(...documents: readonly (object | string)[]): readonly DocumentText[] {
  return documents.map((document, index) => ({
    json: Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)),
    fallbackId: `number.${index}`,
  }));
}

describe('documents in MongoDB', () => {
  let target: Target;
  let store: DocumentStore;
  let [place, number]: [DocumentPlace, number] = [{ uri: '', database: 'd', collection: 'c', key: '_id' }, 0];

  before(async () => {
    target = await openTarget();
    store = createMongodbStore();
  });
  after(async () => {
    await store.close();
    await target.close();
  });

  /** A collection that no other test has. */
  function fresh(key = '_id'): DocumentPlace {
    number += 1;
    place = { uri: target.uri, database: target.database.databaseName, collection: `c${number}`, key };
    return place;
  }

  async function stored(): Promise<readonly Document[]> {
    return await target.database.collection(place.collection).find().sort({ _id: 1 }).toArray();
  }

  test('documents take the place of those with their key, in their order', async () => {
    fresh();
    assert.deepEqual(await store.upsert(place, texts({ _id: 1, a: 1 }, { _id: 2 }, { _id: 1, b: 2 }), live), []);
    assert.deepEqual(await store.upsert(place, texts({ _id: 2, c: 3 }), live), []);
    assert.deepEqual(await stored(), [
      { _id: 1, b: 2 },
      { _id: 2, c: 3 },
    ]);
  });

  test('24 hex digits as the key are an ObjectId; extended JSON is what it says', async () => {
    fresh();
    await store.upsert(place, texts({ _id: ID, at: { $date: '2026-01-31T00:00:00Z' }, other: ID }), live);
    await store.upsert(place, texts({ _id: { $oid: ID }, again: true }), live);
    assert.deepEqual(await stored(), [{ _id: new ObjectId(ID), again: true }]);
    await store.upsert(place, texts({ _id: 'x', at: { $date: '2026-01-31T00:00:00Z' }, other: ID }), live);
    const [named] = await stored();
    assert.deepEqual(named, { _id: 'x', at: new Date('2026-01-31T00:00:00Z'), other: ID });
  });

  test('another member can be the key', async () => {
    fresh('meta');
    await store.upsert(place, texts({ meta: 'a', n: 1 }, { meta: 'a', n: 2 }, { meta: 'b', n: 3 }), live);
    const found = (await stored()).map(({ meta, n }) => [meta as unknown, n as unknown]);
    assert.deepEqual(
      found.toSorted(([one], [other]) => String(one).localeCompare(String(other))),
      [
        ['a', 2],
        ['b', 3],
      ],
    );
    assert.deepEqual(await store.upsert(place, texts({ n: 4 }), live), [
      { index: 0, code: 'MongoDB.MissingKey', message: 'the document has no meta' },
    ]);
  });

  test('a document without _id gets the record’s own, so that a repetition adds none', async () => {
    fresh();
    for (let round = 0; round < 2; round += 1) await store.upsert(place, texts({ a: 1 }, { _id: null, b: 2 }), live);
    assert.deepEqual(await stored(), [
      { _id: 'number.0', a: 1 },
      { _id: 'number.1', b: 2 },
    ]);
  });

  test('what is no document is refused by its index, and holds back no other one', async () => {
    fresh();
    const given = texts({ _id: 1 }, 'no JSON', '[1]', '7', { $set: { a: 1 } }, { _id: [1] }, '"text"', '', { _id: 2 });
    const refused = await store.upsert(place, given, live);
    assert.deepEqual(
      refused.map(({ index, code }) => [index, code]),
      [
        [1, 'MongoDB.InvalidDocument'],
        [2, 'MongoDB.InvalidDocument'],
        [3, 'MongoDB.InvalidDocument'],
        [4, 'MongoDB.InvalidDocument'],
        [5, 'MongoDB.InvalidKey'],
        [6, 'MongoDB.InvalidDocument'],
        [7, 'MongoDB.InvalidDocument'],
      ],
    );
    assert.deepEqual(await stored(), [{ _id: 1 }, { _id: 2 }]);
  });

  test('bytes that are no UTF-8 are refused', async () => {
    fresh();
    const json = Buffer.concat([Buffer.from('{"_id":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    const [refused] = await store.upsert(place, [{ json, fallbackId: 'n' }], live);
    assert.equal(refused?.code, 'MongoDB.InvalidDocument');
  });

  test('a document that is too large as BSON is refused, though its JSON is not', async () => {
    fresh();
    const numbers = `[${Array.from({ length: 1_400_000 }, () => '1').join()}]`;
    const refused = await store.upsert(place, texts(`{"_id":1,"n":${numbers}}`, { _id: 2 }), live);
    assert.deepEqual(
      refused.map(({ index, code }) => [index, code]),
      [[0, 'MongoDB.BSONObjectTooLarge']],
    );
    assert.deepEqual(await stored(), [{ _id: 2 }]);
  });

  test('half of many documents is refused by the server, and the other half is stored', async () => {
    fresh('key');
    // The server takes an _id for good: a second one under the same key cannot replace it.
    const first = Array.from({ length: 200 }, (_, index) => ({ _id: index, key: index }));
    assert.deepEqual(await store.upsert(place, texts(...first), live), []);
    const second = first.map(({ key }) => (key % 2 === 0 ? { _id: key + 1000, key } : { key, again: true }));
    const refused = await store.upsert(place, texts(...second), live);
    assert.deepEqual(
      refused.map(({ index }) => index),
      Array.from({ length: 100 }, (_, index) => index * 2),
    );
    assert.equal((await stored()).filter(({ again }) => again === true).length, 100);
  });

  test('what concerns the server is a failure of all, to be attempted again', async () => {
    // A real server fails on demand only where it was started for tests.
    const { client, uri, database, close } = await openPeer();
    const failingPlace = { ...fresh(), uri, database: database.databaseName };
    const failing: readonly (readonly [object, string])[] = [
      [{ errorCode: 13 }, 'MongoDB.13'],
      [{ errorCode: 50 }, 'MongoDB.50'],
    ];
    for (const [data, code] of failing) {
      await client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 1 },
        data: { failCommands: ['update'], ...data },
      });
      const failure = await store.upsert(failingPlace, texts({ _id: 1 }), live).catch((error: unknown) => error);
      assert.ok(failure instanceof DeliveryError);
      assert.deepEqual([failure.code, failure.retryable], [code, true]);
      assert.deepEqual(await store.upsert(failingPlace, texts({ _id: 1 }), live), []);
    }
    await close();
  });

  test('neither a URI that is none nor a server that is away tells a password', async () => {
    const cases: readonly (readonly [string, boolean])[] = [
      ['mongodb://user:hunter2@', false],
      ['mongodb://user:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=200', true],
    ];
    for (const [uri, retryable] of cases) {
      const failure = await store.upsert({ ...fresh(), uri }, texts({}), live).catch((error: unknown) => error);
      assert.ok(failure instanceof DeliveryError);
      assert.equal(failure.retryable, retryable, failure.message);
      assert.doesNotMatch(failure.message, /hunter2/);
    }
  });

  test('a node that stops goes no further', async () => {
    fresh();
    await assert.rejects(store.upsert(place, texts({ _id: 1 }), AbortSignal.abort()), { code: 'MongoDB.Stopped' });
    assert.deepEqual(await stored(), []);
  });
});
