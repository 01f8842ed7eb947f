import assert from 'node:assert/strict';
import { check, onStream, type Area } from '../check.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const JSON_1_1 = 'application/x-amz-json-1.1';

/** What surrounds every action: envelope and common errors. */
export const wire: Area = {
  title: 'wire',
  checks: [
    onStream('an action that says nothing answers 200 with an empty body', 'wire', 1, async (endpoint, { name }) => {
      const { status, text } = await endpoint.send('AddTagsToStream', { StreamName: name, Tags: { a: 'b' } });
      assert.deepEqual([status, text], [200, '']);
    }),
    check('every answer has the id of its request and a JSON 1.1 content type', async (endpoint) => {
      const { headers } = await endpoint.send('ListStreams', {});
      assert.match(headers.get('x-amzn-requestid') ?? '', UUID);
      assert.ok((headers.get('x-amz-id-2') ?? '').length >= 40, 'x-amz-id-2 is a long text');
      assert.equal(headers.get('content-type'), JSON_1_1);
    }),
    check('an error is a 400 with the bare type and a message', async (endpoint) => {
      const { status, body } = await endpoint.send('DescribeStream', { StreamName: endpoint.name('nowhere') });
      assert.equal(status, 400);
      assert.deepEqual(Object.keys(body).sort(), ['__type', 'message']);
      assert.equal(body['__type'], 'ResourceNotFoundException');
    }),
    check('an unknown action is UnknownOperationException', async (endpoint) => {
      await endpoint.refuses('MakeStream', {}, 'UnknownOperationException');
    }),
    check('a body that is no JSON is SerializationException', async (endpoint) => {
      const { status, body } = await endpoint.raw('ListStreams', '{"Limit":');
      assert.deepEqual([status, body['__type']], [400, 'SerializationException']);
    }),
    check('a member of the wrong type is SerializationException', async (endpoint) => {
      const input = { StreamName: endpoint.name('nowhere'), ShardCount: 'one' };
      await endpoint.refuses('CreateStream', input, 'SerializationException', /java\.lang\.String/);
    }),
    check('a request without a signature is MissingAuthenticationTokenException', async (endpoint) => {
      const headers = { 'content-type': JSON_1_1, 'x-amz-target': 'Kinesis_20131202.ListStreams' };
      const { status, body } = await endpoint.post('{}', headers);
      assert.deepEqual([status, body['__type']], [400, 'MissingAuthenticationTokenException']);
    }),
    check('several violations stand in one sentence', async (endpoint) => {
      const { body } = await endpoint.send('DescribeStream', { StreamName: '', Limit: 0 });
      assert.equal(body['__type'], 'ValidationException');
      assert.match(body['message'], /^3 validation errors detected: Value '/);
      const places = [...body['message'].matchAll(/ at '(\w+)' failed to satisfy constraint/g)].map(([, one]) => one);
      assert.deepEqual([places.length, new Set(places)], [3, new Set(['limit', 'streamName'])]);
    }),
  ],
};
