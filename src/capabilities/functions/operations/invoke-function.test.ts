import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import { openBench, type Answer } from '../harness.fixture.ts';

const INVALID = '400 ValidationException: 1 validation error detected: ';
const HEAVY = JSON.stringify('x'.repeat(6 * 1024 * 1024));

test('InvokeFunction answers what the handler returned, or how it failed', async () => {
  const bench = await openBench();
  const cases: readonly (readonly [name: string, body: string, answer: Answer])[] = [
    ['echo', '{"a":1}', { status: 200, error: undefined, body: '{"a":1}' }],
    ['echo', '', { status: 200, error: undefined, body: '{}' }],
    ['echo:$LATEST', '1', { status: 200, error: undefined, body: '1' }],
    ['function:echo', '1', { status: 200, error: undefined, body: '1' }],
    ['000000000000:function:echo', '1', { status: 200, error: undefined, body: '1' }],
    ['arn:aws:lambda:us-east-1:000000000000:function:echo', '1', { status: 200, error: undefined, body: '1' }],
    ['arn:aws:lambda:eu-west-1:123456789012:function:echo', '1', { status: 200, error: undefined, body: '1' }],
    ['fails', '{}', { status: 200, error: 'Unhandled', body: '{"errorType":"TypeError","errorMessage":"no"}' }],
  ];
  for (const [name, body, expected] of cases) {
    const { status, headers, body: text } = await bench.invoke(name, body);
    assert.deepEqual({ status, error: headers['x-amz-function-error'], body: text }, expected, name);
    assert.equal(headers['x-amz-executed-version'], '$LATEST');
  }
  await bench.close();
});

test('InvokeFunction refuses in AWS’s words', async () => {
  const bench = await openBench();
  const cases: readonly (readonly [name: string, body: string, headers: Record<string, string>, refusal: string])[] = [
    [
      'nobody',
      '{}',
      {},
      '404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody',
    ],
    [
      'echo:7',
      '{}',
      {},
      '404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:echo:7',
    ],
    [
      'echo',
      `[${'1,'.repeat(40_000)}]`,
      {},
      '400 InvalidRequestContentException: Could not parse request body into json: Unexpected byte at position 80001',
    ],
    ['echo', '{"a', {}, '400 InvalidRequestContentException: Could not parse request body into json: Unexpected end'],
    ['echo', '{"a', { 'x-amz-invocation-type': 'Event' }, '400 InvalidRequestContentException: Could not parse'],
    [
      'echo',
      HEAVY,
      {},
      '413 RequestTooLargeException: 6291458 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)',
    ],
    [
      'echo',
      HEAVY,
      { 'x-amz-invocation-type': 'Event' },
      '413 RequestTooLargeException: 6291458 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    ],
    [
      'echo',
      '{}',
      { 'x-amz-invocation-type': 'Now' },
      `${INVALID}Value 'Now' at 'invocationType' failed to satisfy constraint: ` +
        'Member must satisfy enum value set: [Event, RequestResponse, DryRun]',
    ],
    [
      'echo',
      '{}',
      { 'x-amz-log-type': 'tail' },
      `${INVALID}Value 'tail' at 'logType' failed to satisfy constraint: ` +
        'Member must satisfy enum value set: [None, Tail]',
    ],
    [
      'a b',
      '{}',
      {},
      `${INVALID}Value 'a b' at 'functionName' failed to satisfy constraint: ` +
        'Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?',
    ],
    [
      'n'.repeat(171),
      '{}',
      {},
      `${INVALID}Value '${'n'.repeat(171)}' at 'functionName' failed to satisfy constraint: ` +
        'Member must have length less than or equal to 170',
    ],
    [
      'a b',
      '{}',
      { 'x-amz-invocation-type': 'Now', 'x-amz-log-type': '' },
      "400 ValidationException: 3 validation errors detected: Value 'a b' at 'functionName'",
    ],
    [
      'n'.repeat(170),
      '{}',
      {},
      '404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nnn',
    ],
  ];
  for (const [name, body, headers, refusal] of cases) {
    await assert.rejects(bench.invoke(name, body, headers), (error) => {
      assert.ok(error instanceof RequestError);
      assert.equal(`${error.status} ${error.code}: ${error.message}`.slice(0, refusal.length), refusal);
      return true;
    });
  }
  await bench.close();
});

test('InvokeFunction shows the end of the log when asked', async () => {
  const bench = await openBench();
  const { headers } = await bench.invoke('prints', '{}', { 'x-amz-log-type': 'Tail' });
  const lines = Buffer.from(headers['x-amz-log-result'] ?? '', 'base64')
    .toString()
    .split('\n');
  assert.deepEqual(lines, [
    'START RequestId: request-1 Version: $LATEST',
    'one',
    'two',
    'END RequestId: request-1',
    'REPORT RequestId: request-1\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\tInit Duration: 1.00 ms\t',
    '',
  ]);
  await bench.close();
});

test('InvokeFunction DryRun runs nothing', async () => {
  const bench = await openBench();
  const { status, body } = await bench.invoke('echo', '{}', { 'x-amz-invocation-type': 'DryRun' });
  assert.deepEqual([status, body, bench.ran], [204, '', []]);
  await bench.close();
});

test('an Event is answered once it is durable, and run', async () => {
  const bench = await openBench();
  const { status, body } = await bench.invoke('echo', '{"later":1}', { 'x-amz-invocation-type': 'Event' });
  assert.deepEqual([status, body], [202, '']);
  await bench.until(() => bench.ran.length === 1);
  assert.deepEqual(bench.ran, ['echo request-1 {"later":1}']);
  await bench.close();
});

test('what cannot be run at once or wait is refused', async () => {
  const bench = await openBench();
  const all = Array.from({ length: 1011 }, async () => await bench.invoke('slow', '{}'));
  const ends = await Promise.allSettled(all);
  const refused = ends.filter(({ status }) => status === 'rejected') as readonly PromiseRejectedResult[];
  assert.equal(refused.length, 1);
  const error: unknown = refused[0]?.reason;
  assert.ok(error instanceof ThrottleError);
  assert.equal(error.code, 'TooManyRequestsException');
  await bench.close();
});
