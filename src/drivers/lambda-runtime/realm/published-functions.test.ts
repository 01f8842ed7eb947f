/**
 * Two functions that MongoDB published, taken out of their article as they stand: one puts a document's change into a
 * stream, the other stores what Firehose delivers. The article is read at run time from the folder MILLRACE_SEEDS names.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ObjectId } from 'mongodb';
import {
  namedCollection,
  openTarget,
  type NamedCollection,
  type Target,
} from '../../../testing/mongo-peer/peer.fixture.ts';
import type { RealmAnswer, RealmRequest } from '../../../ports/realm-webhook.ts';
import { bodyOf, place, startNode, type Node } from './realm.fixture.ts';

const folder = process.env['MILLRACE_SEEDS'] ?? join(import.meta.dirname, '../../../../../../shared/seeds');
const article = existsSync(folder) ? findArticle() : undefined;
const skip = article === undefined ? `the article with the functions is not in ${folder} (MILLRACE_SEEDS)` : false;
const accessKey = 'a key of ours';
const id = '0123456789abcdef01234567';

function findArticle(): string | undefined {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  return texts.find((text) => text.includes('initializeOrderedBulkOp') && text.includes('PutRecord'));
}

/** The block of code that has these words in it, without its indentation. */
function code(words: string): string {
  const blocks = (article ?? '').split(/^ *\.\. code-block:: javascript\n/m).slice(1);
  const lines = (blocks.find((block) => block.includes(words)) ?? '').split('\n');
  const indent = /^ */.exec(lines.find((line) => line.trim() !== '') ?? '')?.[0].length ?? 0;
  const end = lines.findIndex((line) => line.trim() !== '' && !line.startsWith(' '.repeat(indent)));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.slice(indent))
    .join('\n');
}

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('published functions', () => {
  let node: Node;
  let target: Target;
  let stored: NamedCollection | undefined;
  const functions = mkdtempSync(join(tmpdir(), 'millrace-published-'));

  before(async () => {
    if (skip !== false) return;
    target = await openTarget();
    stored = await namedCollection(target, 'monitors', 'firehose');
    writeFileSync(join(functions, 'trigger.js'), code('exports = function (event)'));
    writeFileSync(join(functions, 'webhook.js'), code('exports = function(payload, response)'));
    const values = { FIREHOSE_ACCESS_KEY: accessKey };
    const services = { AWSKinesis: { kinesis: {} }, 'mongodb-atlas': { mongodb: target.uri } };
    const common = { runtime: 'realm', code: functions, timeoutSeconds: 30, values, services };
    node = await startNode({
      trigger: { ...common, handler: 'trigger.exports' },
      webhook: { ...common, handler: 'webhook.exports' },
    });
  });
  after(async () => {
    rmSync(functions, { recursive: true, force: true });
    if (skip !== false) return;
    await node.stop();
    await stored?.drop();
    await target.close();
  });

  async function records(): Promise<string[]> {
    const text = `exports = async function () {
    const kinesis = context.services.get("k").kinesis()
    const { ShardIterator } = await kinesis.GetShardIterator({ StreamName: "realm", ShardId: "shardId-000000000000", ShardIteratorType: "TRIM_HORIZON" })
    return (await kinesis.GetRecords({ ShardIterator })).Records.map(({ Data }) => Data.toBase64())
  }`;
    const reader = place(text, { services: { k: { kinesis: {} } }, variables: node.variables });
    const found = (await reader.run({})) as string[];
    await reader.close();
    return found;
  }

  /** As Firehose sends it. */
  async function deliver(key: string, data: readonly string[]): Promise<RealmAnswer> {
    const body = { requestId: 'r-1', timestamp: 1, records: data.map((one) => ({ data: one })) };
    const realmWebhook: RealmRequest = {
      method: 'POST',
      path: '/hook',
      query: '',
      headers: [
        ['X-Amz-Firehose-Protocol-Version', '1.0'],
        ['X-Amz-Firehose-Request-Id', 'r-1'],
        ['X-Amz-Firehose-Access-Key', key],
        ['Content-Type', 'application/json'],
      ],
      bodyBase64: Buffer.from(JSON.stringify(body)).toString('base64'),
    };
    return (await node.invoke('webhook', { realmWebhook })) as RealmAnswer;
  }

  test('the first puts the document of a change into the stream before the call ends', { skip }, async () => {
    const fullDocument = { _id: { $oid: id }, nodeName: 'pi', humidity: 41.5, isMoving: false };
    const value = await node.invoke('trigger', { operationType: 'insert', fullDocument });
    assert.equal(value, null);
    const [record = ''] = await records();
    assert.deepEqual(JSON.parse(Buffer.from(record, 'base64').toString()), { ...fullDocument, _id: id });
  });

  test(
    'the second stores what is delivered, once however often, and answers as Firehose needs it',
    { skip },
    async () => {
      const data = [
        ...(await records()),
        Buffer.from('{"_id":"0123456789abcdef01234568","nodeName":"other"}').toString('base64'),
      ];
      for (let delivery = 0; delivery < 2; delivery += 1) {
        const answer = await deliver(accessKey, data);
        assert.equal(answer.statusCode, 200);
        assert.deepEqual(answer.headers, [['Content-Type', 'application/json']]);
        const { requestId, timestamp } = JSON.parse(bodyOf(answer)) as { requestId: string; timestamp: number };
        assert.equal(requestId, 'r-1');
        assert.ok(Math.abs(timestamp - Date.now()) < 60_000);
      }
      assert.deepEqual(await stored?.collection.find().sort({ _id: 1 }).toArray(), [
        { _id: new ObjectId(id), nodeName: 'pi', humidity: 41.5, isMoving: false },
        { _id: new ObjectId('0123456789abcdef01234568'), nodeName: 'other' },
      ]);
    },
  );

  test('with a wrong key nothing is stored, and a failure of the database is a 500', { skip }, async (context) => {
    const refused = await deliver('wrong', ['e30=']);
    assert.equal(refused.statusCode, 401);
    assert.match(bodyOf(refused), /"requestId":"r-1".*Invalid X-Amz-Firehose-Access-Key/);
    if (target.peer === undefined) return context.diagnostic('a real server does not fail on demand');
    target.peer.fail({ commands: ['update'], times: 1, errorCode: 2, errorMessage: 'by script' });
    const failed = await deliver(accessKey, [Buffer.from('{"_id":"0123456789abcdef01234569"}').toString('base64')]);
    assert.equal(failed.statusCode, 500);
    assert.equal(await stored?.collection.countDocuments(), 2);
  });
});
