import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { readFrames } from '../testing/event-frames.ts';
import { decodeCbor } from '../wire/aws-cbor/decode.ts';
import { CborWriter } from '../wire/aws-cbor/writer.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { smithySigner } from '../wire/sigv4/smithy.fixture.ts';
import { withNode, type Answer } from './key-pairs.fixture.ts';

const PAIR = { accessKeyId: 'KEY', secretAccessKey: 'the secret of this pair' };
const CBOR = 'application/x-amz-cbor-1.1';
const JSON_1_1 = 'application/x-amz-json-1.1';
/** Comes in many pieces. */
const LONG = Buffer.alloc(900_000, 'x');

type Form = typeof CBOR | typeof JSON_1_1;

function written(form: Form, value: Readonly<Record<string, unknown>>): Buffer {
  const entries = Object.entries(value);
  if (form === JSON_1_1) {
    const inJson = entries.map(([name, one]) => [name, Buffer.isBuffer(one) ? one.toString('base64') : one]);
    return Buffer.from(JSON.stringify(Object.fromEntries(inJson)));
  }
  const writer = new CborWriter();
  writer.map(entries.length);
  for (const [name, one] of entries) {
    writer.text(name);
    if (Buffer.isBuffer(one)) writer.bytes(one);
    else writer.plain(one);
  }
  return Buffer.from(writer.done());
}

function signed(api: string, form: Form, action: string, body: Buffer): Record<string, string> {
  const headers = { 'content-type': form, 'x-amz-target': `Kinesis_20131202.${action}` };
  const request = { method: 'POST', url: new URL(`${api}/`), headers, body };
  return signRequest(request, { ...PAIR, region: 'us-east-1', service: 'kinesis', now: Date.now() });
}

function posted(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
  stream.end(body);
  return stream;
}

async function answered(stream: ClientHttp2Stream): Promise<Answer> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => void pieces.push(piece));
  const [head] = (await once(stream, 'response')) as [Readonly<Record<string, unknown>>];
  await once(stream, 'end');
  const bytes = Buffer.concat(pieces);
  const isCbor = head['content-type'] === CBOR;
  const value: Answer = isCbor ? decodeCbor(bytes) : JSON.parse(bytes.toString());
  return { status: head[':status'], ...value };
}

test('HTTP/2, JSON and CBOR: what was signed is served, another body or another authority is not', async () => {
  await withNode([PAIR], { streams: { mine: { ShardCount: 1 } } }, async ({ api }) => {
    const session = connect(api);
    for (const form of [JSON_1_1, CBOR] as const) {
      const ask = async (
        action: string,
        value: Readonly<Record<string, unknown>>,
        sent?: Buffer,
        to = api,
      ): Promise<Answer> => {
        const body = written(form, value);
        return await answered(posted(session, signed(to, form, action, body), sent ?? body));
      };
      const record = { StreamName: 'mine', PartitionKey: 'k', Data: LONG };
      assert.match((await ask('PutRecord', record)).SequenceNumber, /^\d+$/, form);
      const other = written(form, { ...record, PartitionKey: 'l' });
      assert.match((await ask('PutRecord', record, other)).message, /signature we calculated does not match/, form);
      assert.equal((await ask('ListStreams', {}, undefined, 'http://localhost:1')).__type, 'InvalidSignatureException');
      const place = { StreamName: 'mine', ShardId: 'shardId-000000000000', ShardIteratorType: 'LATEST' };
      const { ShardIterator } = await ask('GetShardIterator', place);
      assert.deepEqual((await ask('GetRecords', { ShardIterator })).Records, [], form);
    }
    session.close();
  });
});

test('SubscribeToShard: signed it streams, unsigned or over somebody else’s signature it does not', async () => {
  await withNode([PAIR], { streams: { mine: { ShardCount: 1 } } }, async ({ api }) => {
    const session = connect(api);
    const ask = async (form: Form, action: string, value: Readonly<Record<string, unknown>>): Promise<Answer> => {
      const body = written(form, value);
      return await answered(posted(session, signed(api, form, action, body), body));
    };
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/mine';
    const { Consumer } = await ask(CBOR, 'RegisterStreamConsumer', { StreamARN, ConsumerName: 'reader' });
    const put = await ask(JSON_1_1, 'PutRecord', { StreamName: 'mine', PartitionKey: 'k', Data: Buffer.from('came') });
    const start = {
      ConsumerARN: Consumer.ConsumerARN,
      ShardId: put.ShardId,
      StartingPosition: { Type: 'TRIM_HORIZON' },
    };
    const body = written(CBOR, start);
    const { authorization: _, ...unsigned } = signed(api, CBOR, 'SubscribeToShard', body);
    assert.equal((await answered(posted(session, unsigned, body))).__type, 'MissingAuthenticationTokenException');
    const lent = signed(api, CBOR, 'ListStreams', body);
    const target = { 'x-amz-target': 'Kinesis_20131202.SubscribeToShard' };
    assert.equal((await answered(posted(session, { ...lent, ...target }, body))).__type, 'InvalidSignatureException');
    const stream = posted(session, signed(api, CBOR, 'SubscribeToShard', body), body);
    const texts: string[] = [];
    let rest: Buffer = Buffer.alloc(0);
    for await (const piece of stream) {
      const read = readFrames(Buffer.concat([rest, piece as Buffer]));
      rest = read.rest;
      for (const { headers, bytes } of read.frames) {
        if (headers[':event-type'] !== 'SubscribeToShardEvent') continue;
        for (const { Data } of (decodeCbor(bytes) as Answer).Records) texts.push(Buffer.from(Data).toString());
      }
      if (texts.length > 0) break;
    }
    assert.deepEqual(texts, ['came']);
    session.destroy();
  });
});

test('signed in the query by the AWS SDK: good until it expires, for this very request', async () => {
  await withNode([PAIR], { streams: { mine: { ShardCount: 1 } } }, async ({ api }) => {
    const { hostname, port, host } = new URL(api);
    const body = '{}';
    const headers = { host, 'content-type': JSON_1_1, 'x-amz-target': 'Kinesis_20131202.ListStreams' };
    const request = {
      method: 'POST',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: '/',
      query: {},
      headers,
      body,
    };
    const presigned = async (ageSeconds: number, keep: readonly string[]): Promise<URL> => {
      const signingDate = new Date(Date.now() - ageSeconds * 1000);
      const unhoistableHeaders = new Set(keep);
      const options = { signingDate, expiresIn: 60, unhoistableHeaders, signableHeaders: unhoistableHeaders };
      const { query = {} } = await smithySigner(PAIR, 'us-east-1', 'kinesis').presign(request, options);
      const url = new URL(`${api}/`);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
      return url;
    };
    const post = async (url: URL, sent = body): Promise<Answer> => {
      const { host: _, ...rest } = headers;
      const answer = await fetch(url, { method: 'POST', headers: rest, body: sent });
      const value: Answer = await answer.json();
      return { status: answer.status, ...value };
    };
    const url = await presigned(0, ['x-amz-target', 'content-type', 'host']);
    assert.deepEqual((await post(url)).StreamNames, ['mine']);
    assert.deepEqual((await post(url)).StreamNames, ['mine'], 'as often as it is asked');
    assert.match((await post(url, '{"Limit":1}')).message, /does not match/);
    assert.match((await post(await presigned(61, ['x-amz-target', 'host']))).message, /^Signature expired/);
    assert.match((await post(await presigned(0, ['host']))).message, /^'x-amz-target' must be a 'SignedHeader'/);
    url.searchParams.set('X-Amz-Expires', '600');
    assert.match((await post(url)).message, /does not match/);
  });
});
