import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Defect, EnvironmentError, RequestError, ThrottleError } from '../../kernel/errors.ts';
import * as s from '../../kernel/schema/declare.ts';
import type { Audit, AuditEntry } from '../../ports/audit.ts';
import type { HttpAnswer } from '../../ports/http.ts';
import { EventAnswer, operation, RawAnswer, type Operation, type OutgoingEvent } from '../../ports/operation.ts';
import { Fenced, Unavailable } from '../../ports/stream-store.ts';
import { readFrames } from '../../testing/event-frames.ts';
import { fakeRequest, type FakeRequest } from '../../testing/fake-request.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { decodeCbor } from '../aws-cbor/decode.ts';
import { CborWriter } from '../aws-cbor/writer.ts';
import { Gate } from '../sigv4/gate.ts';
import type { Credential } from '../sigv4/principal.ts';
import { signRequest } from '../sigv4/sign.ts';
import { createAwsJson } from './index.ts';
import { textOf } from '../../testing/text-of.ts';

const SIGNED = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-date': '20260101T000000Z',
  authorization: 'AWS4-HMAC-SHA256 Credential=k, SignedHeaders=host, Signature=0',
};

interface State {
  readonly seen: unknown[];
  answer: () => unknown;
  fast: (text: string, form: string) => RawAnswer | undefined;
}

const common = {
  target: 'Test_20260101',
  input: s.struct({ Name: s.string({ min: 1 }), At: s.optional(s.timestamp()) }),
  errors: [],
  plane: 'control',
  doc: 'For tests.',
  handle: async (input: unknown, { requestId, state }: { requestId: string; state: State }) => {
    state.seen.push(input, requestId);
    return state.answer();
  },
} as const;

const act = operation<State>()({ ...common, name: 'Act', output: s.struct({ At: s.optional(s.timestamp()) }) });
const quick = operation<State>()({
  ...common,
  name: 'Quick',
  output: s.struct({ At: s.optional(s.timestamp()) }),
  async fast(body, { requestId, form, state }) {
    const text = Buffer.from(body).toString('latin1');
    const answer = state.fast(text, form);
    if (answer !== undefined) state.seen.push(text, requestId);
    return answer;
  },
});
const stream = operation<State>()({
  ...common,
  name: 'Stream',
  events: { Came: s.struct({ At: s.timestamp(), Data: s.blob() }) },
});
const silent = operation<State>()({ ...common, name: 'Silent' });

interface Logged {
  readonly level: string;
  readonly event: string;
  readonly message: string;
}

/** Serves both operations; what they answer, and what is logged and counted, is in the tests' hands. */
function serve(credentials?: readonly Credential[]): {
  readonly state: State;
  readonly logged: Logged[];
  readonly counted: string[];
  readonly noted: AuditEntry[];
  readonly call: (parts?: FakeRequest) => Promise<HttpAnswer>;
} {
  const environment = quietEnvironment();
  environment.random.bytes = (count) => new Uint8Array(count).fill(1);
  const logged: Logged[] = [];
  const counted: string[] = [];
  const noted: AuditEntry[] = [];
  environment.log.error = (event, fields = {}) => {
    logged.push({ level: 'error', event, message: String(fields['message']) });
  };
  environment.meter.count = (name) => void counted.push(name);
  const state: State = { seen: [], answer: () => ({}), fast: () => undefined };
  const operations = [act, quick, stream, silent].map((one) => ({
    operation: one as Operation<unknown>,
    state,
    service: 'kinesis',
    resources: ({ Name }: { readonly Name?: unknown }) => [{ name: String(Name), arn: `arn:${String(Name)}` }],
  }));
  const audit: Audit = {
    note: async (entry, change) => {
      noted.push(entry);
      return await change();
    },
  };
  const gate = new Gate(credentials, { region: 'us-east-1', account: '000000000000' }, environment);
  const handler = createAwsJson({ operations, bodyBytesMax: 100, gate, audit }, environment);
  const call = async (parts: FakeRequest = {}): Promise<HttpAnswer> => {
    const headers = { 'x-amz-target': 'Test_20260101.Act', ...SIGNED, ...parts.headers };
    return await handler(fakeRequest({ body: '{"Name":"a"}', ...parts, headers }));
  };
  return { state, logged, counted, noted, call };
}

test('an action answers in the shape it declares, with its ids', async () => {
  const { state, call } = serve();
  state.answer = () => ({ At: 1_700_000_000_123, Other: 'left out' });
  const answer = await call({ body: '{"Name":"a","At":1.5,"Unknown":[]}', id: 'the-id' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, '{"At":1700000000.123}');
  assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1');
  assert.match(answer.headers['x-amz-id-2'] ?? '', /^(AQEB)+$/);
  assert.deepEqual(state.seen, [{ Name: 'a', At: 1500 }, 'the-id']);
});

test('an action without an output answers nothing; one that wrote its own answer is not written again', async () => {
  const { state, call } = serve();
  const answer = await call({ headers: { 'x-amz-target': 'Test_20260101.Silent' } });
  assert.deepEqual([answer.status, answer.body], [200, '']);
  const bytes = Buffer.from('{"At":"raw"}');
  state.answer = () => new RawAnswer(bytes);
  assert.equal((await call()).body, bytes);
});

test('an action with a faster way gets the bytes first, where the signature is as usual', async () => {
  const { state, call } = serve();
  const pieces = [Buffer.from('{"At":'), Buffer.from('"fast"}')];
  const table: readonly (readonly [name: string, parts: FakeRequest, answered: string, seen: readonly unknown[]])[] = [
    ['plain', { body: '{"Name":"plain"}' }, '{"At":"fast"}', ['{"Name":"plain"}', 'the-id']],
    ['left to the full parse', { body: '{"Name":"b"}' }, '{}', [{ Name: 'b' }, 'the-id']],
    ['unusual signature', { body: '{"Name":"plain"}', headers: { date: 'x', 'x-amz-date': '' }, query: '?' }, '{}', [{ Name: 'plain' }, 'the-id']],
  ]; // prettier-ignore
  state.fast = (text) => (text.includes('plain') ? new RawAnswer(pieces) : undefined);
  for (const [name, parts, answered, seen] of table) {
    state.seen.length = 0;
    const answer = await call({
      ...parts,
      id: 'the-id',
      headers: { 'x-amz-target': 'Test_20260101.Quick', ...parts.headers },
    });
    const text = textOf(answer.body);
    assert.deepEqual([answer.status, text], [200, answered], name);
    assert.deepEqual(state.seen, seen, name);
  }
  state.seen.length = 0;
  const headers = { 'x-amz-target': 'Test_20260101.Quick', authorization: '' };
  const unsigned = await call({ body: '{"Name":"plain"}', headers });
  assert.match(textOf(unsigned.body), /^{"__type":"MissingAuthenticationTokenException"/);
  const broken = await call({ body: '{"Name":"plain"', headers });
  assert.equal(broken.body, '{"__type":"SerializationException"}', 'the body comes before the signature');
  assert.deepEqual(state.seen, []);
});

test('content types: what is spoken, what is answered', async () => {
  const { call } = serve();
  const table: readonly (readonly [asked: string, status: number, answered: string])[] = [
    ['application/x-amz-json-1.1', 200, 'application/x-amz-json-1.1'],
    ['Application/X-Amz-Json-1.0; charset=utf-8', 200, 'application/x-amz-json-1.0'],
    ['application/json', 200, 'application/json'],
    ['', 400, 'application/x-amz-json-1.1'],
    ['text/plain', 400, 'application/x-amz-json-1.1'],
    // JSON is no CBOR: what refuses it speaks CBOR.
    ['application/x-amz-cbor-1.1', 400, 'application/x-amz-cbor-1.1'],
  ];
  for (const [asked, status, answered] of table) {
    const answer = await call({ headers: { 'content-type': asked } });
    assert.deepEqual([answer.status, answer.headers['content-type']], [status, answered], asked);
  }
});

test('half a character is no text, whatever it is in; a whole one is, and so is what only looks like one', async () => {
  const { state, call } = serve();
  const halves = [
    String.raw`{"Name":"\ud800a"}`,
    String.raw`{"Name":"a\uDFFF"}`,
    String.raw`{"Name":"\udc00\ud800"}`,
    String.raw`{"Name":"\ud83d\ud83d\ude00"}`,
    String.raw`{"Name":"a","Other":[{"x":"\udbff"}]}`,
    String.raw`{"Name":"a","\ud800":1}`,
    `{"Name":"a","O":${'['.repeat(20)}"\\ud800"${']'.repeat(20)}}`,
  ];
  for (const body of halves) {
    const answer = await call({ body });
    assert.deepEqual([answer.status, answer.body], [400, '{"__type":"SerializationException"}'], body);
  }
  assert.deepEqual(state.seen, []);
  const wholes: readonly (readonly [body: string, name: string])[] = [
    [String.raw`{"Name":"\ud83d\uDE00"}`, '😀'],
    [String.raw`{"Name":"\\ud800"}`, String.raw`\ud800`],
    [String.raw`{"Name":"\ud7ff\ue000"}`, '\ud7ff\ue000'],
  ];
  for (const [body, name] of wholes) {
    assert.equal((await call({ body })).status, 200, body);
    assert.deepEqual(state.seen.at(-2), { Name: name });
  }
});

test('what is refused before the action, in this order', async () => {
  const { state, call } = serve();
  const noTarget = { 'x-amz-target': '' };
  const unsigned = { authorization: '' };
  const long = 'x'.repeat(101);
  const table: readonly (readonly [parts: FakeRequest, status: number, body: string])[] = [
    [{ method: 'GET' }, 405, '{"__type":"MethodNotAllowed","message":"AWS actions are POST requests"}'],
    [{ headers: { 'content-type': 'text/plain' }, body: long }, 400, '{"__type":"UnknownOperationException"}'],
    [{ headers: noTarget, body: long }, 413, '{"__type":"RequestEntityTooLarge","message":"the body is too large"}'],
    [{ headers: noTarget, body: '{' }, 400, '{"__type":"SerializationException"}'],
    [{ headers: noTarget, body: '' }, 400, '{"__type":"SerializationException"}'],
    [{ headers: noTarget, body: Uint8Array.of(0x22, 0xff, 0x22) }, 400, '{"__type":"SerializationException"}'],
    [{ headers: { ...noTarget, ...unsigned } }, 400, '{"__type":"UnknownOperationException"}'],
    [{ headers: { 'x-amz-target': 'Test_20260101.Act2' } }, 400, '{"__type":"UnknownOperationException"}'],
    [{ headers: { 'x-amz-target': '__proto__' } }, 400, '{"__type":"UnknownOperationException"}'],
    [
      { headers: unsigned, body: '[]' },
      400,
      '{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}',
    ],
    [{ body: '5' }, 400, '{"__type":"SerializationException"}'],
    [{ body: 'null' }, 400, '{"__type":"SerializationException"}'],
    [
      { body: '{"Name":5}' },
      400,
      '{"__type":"SerializationException","Message":"class com.amazon.coral.value.json.numbers.TruncatingBigNumber ' +
        'can not be converted to an String"}',
    ],
    [
      { body: '{}' },
      400,
      '{"__type":"ValidationException","message":"1 validation error detected: Value null at \'name\' failed to ' +
        'satisfy constraint: Member must not be null"}',
    ],
  ];
  for (const [parts, status, body] of table) {
    const answer = await call(parts);
    assert.deepEqual([answer.status, answer.body], [status, body], JSON.stringify(parts));
    assert.equal(answer.headers['x-amzn-errortype'], (JSON.parse(body) as { __type: string }).__type);
  }
  assert.deepEqual(state.seen, [], 'no action was called');
  assert.equal((await call({ method: 'PUT' })).headers['allow'], 'POST');
});

test('errors of an action', async () => {
  const unavailable = 'ServiceUnavailableException: The service is unavailable. Try again later.';
  const failure = 'InternalFailure: The request failed; the log names it by the-id.';
  const table: readonly (readonly [error: unknown, status: number, said: string, logged: string])[] = [
    [new RequestError('ResourceNotFoundException', 'gone'), 400, 'ResourceNotFoundException: gone', ''],
    [new RequestError('Odd', 'teapot', 418, { 'x-extra': '1' }), 418, 'Odd: teapot', ''],
    [new ThrottleError('LimitExceededException', 'slow'), 400, 'LimitExceededException: slow', ''],
    [new ThrottleError('ServiceUnavailable', 'full'), 503, 'ServiceUnavailableException: full', ''],
    [new Unavailable('disk full'), 503, unavailable, ''],
    [new Fenced('a/1/0'), 503, unavailable, ''],
    [new EnvironmentError('EIO', 'the disk is gone'), 500, failure, 'aws.failed'],
    [new Defect('a promise was broken'), 500, failure, 'aws.bug'],
    [new TypeError('secret detail'), 500, failure, 'aws.bug'],
    ['no error at all', 500, failure, 'aws.bug'],
  ];
  for (const [error, status, said, event] of table) {
    const { state, call, logged, counted } = serve();
    state.answer = () => {
      throw error;
    };
    const answer = await call({ id: 'the-id' });
    const { __type, message } = JSON.parse(textOf(answer.body)) as { __type: string; message: string };
    assert.deepEqual([answer.status, `${__type}: ${message}`], [status, said]);
    assert.equal(logged.map((line) => line.event).join(), event, String(error));
    assert.deepEqual(counted, { '': [], 'aws.bug': ['http_bugs_total'], 'aws.failed': ['aws_failures_total'] }[event]);
    if (event !== '') assert.match(logged[0]?.message ?? '', /disk is gone|broken|secret detail|no error at all/);
    assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined);
    assert.equal(answer.headers['x-extra'], status === 418 ? '1' : undefined);
  }
});

/** The frames of an answer that goes on, one line each. */
async function framesOf({ status, headers, body }: HttpAnswer): Promise<string[]> {
  assert.deepEqual([status, headers['content-type']], [200, 'application/vnd.amazon.eventstream']);
  assert.ok(typeof body === 'object' && 'pieces' in body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body.pieces) pieces.push(piece);
  return readFrames(Buffer.concat(pieces)).frames.map(({ headers: said, payload }) => {
    assert.equal(said[':content-type'], 'application/x-amz-json-1.1');
    return `${said[':event-type'] ?? said[':exception-type']} ${payload}`;
  });
}

test('events in their shapes, or as their operation wrote them, and what ends them', async () => {
  const began = 'initial-response {}';
  const failure = 'InternalFailureException {"message":"The request failed; the log names it by the-id."}';
  const table: readonly (readonly [ended: unknown, frame: readonly string[], logged: string])[] = [
    [undefined, [], ''],
    [new RequestError('ResourceNotFoundException', 'gone'), ['ResourceNotFoundException {"message":"gone"}'], ''],
    [new Unavailable('disk full'), ['InternalFailureException {"message":"The service is unavailable. Try again later."}'], ''],
    [new EnvironmentError('EIO', 'the disk is gone'), [failure], 'aws.failed'],
    [new TypeError('secret detail'), [failure], 'aws.bug'],
  ]; // prettier-ignore
  for (const [ended, last, event] of table) {
    const { state, call, logged } = serve();
    async function* events(): AsyncGenerator<OutgoingEvent> {
      yield { type: 'Came', value: { At: 1500, Data: Buffer.from('x'), Other: 'left out' } };
      yield { type: 'Came', value: new RawAnswer('{"raw":1}') };
      yield { type: 'Came', value: new RawAnswer([Buffer.from('{"raw"'), Buffer.from(':2}')]) };
      if (ended !== undefined) throw ended;
    }
    state.answer = () => new EventAnswer(events());
    const answer = await call({ id: 'the-id', headers: { 'x-amz-target': 'Test_20260101.Stream' } });
    const came = ['Came {"At":1.5,"Data":"eA=="}', 'Came {"raw":1}', 'Came {"raw":2}'];
    assert.deepEqual(await framesOf(answer), [began, ...came, ...last]);
    assert.equal(logged.map((line) => line.event).join(), event);
  }
});

test('the same in CBOR: members, answers, refusals, and events with what ends them', async () => {
  const { state, call } = serve();
  const cbor = async (target: string, value: unknown): Promise<HttpAnswer> => {
    const writer = new CborWriter();
    writer.plain(value);
    const headers = { 'x-amz-target': `Test_20260101.${target}`, 'content-type': 'application/x-amz-cbor-1.1' };
    return await call({ body: writer.done(), headers });
  };
  const read = ({ body }: HttpAnswer): string => JSON.stringify(decodeCbor(body as Uint8Array));
  state.answer = () => ({ At: 1500 });
  assert.equal(read(await cbor('Act', { Name: 'a', At: 1700 })), '{"At":1500}');
  assert.deepEqual(state.seen[0], { Name: 'a', At: 1700 });
  state.answer = () => new RawAnswer(Buffer.from('a162417401', 'hex'));
  assert.equal(read(await cbor('Act', { Name: 'a' })), '{"At":1}', 'as the operation wrote it');
  state.fast = (text, form) => new RawAnswer(`${form} ${text}`);
  assert.equal((await cbor('Quick', { Name: 'a' })).body, 'binary \xa1dNameaa');
  state.answer = () => undefined;
  assert.equal((await cbor('Silent', { Name: 'a' })).body, '');
  const refused = await cbor('Act', { Name: '' });
  assert.match(read(refused), /^\{"__type":"ValidationException","message":"1 validation error/);
  assert.deepEqual([refused.status, refused.headers['x-amzn-errortype']], [400, 'ValidationException']);
  async function* events(): AsyncGenerator<OutgoingEvent> {
    yield { type: 'Came', value: { At: 1500, Data: Buffer.from('x') } };
    yield { type: 'Came', value: new RawAnswer([Buffer.from('a162', 'hex'), Buffer.from('41740a', 'hex')]) };
    throw new RequestError('ResourceNotFoundException', 'gone');
  }
  state.answer = () => new EventAnswer(events());
  const { body } = await cbor('Stream', { Name: 'a' });
  const frames: string[] = [];
  assert.ok(typeof body === 'object' && 'pieces' in body);
  for await (const piece of body.pieces) {
    for (const { headers, bytes } of readFrames(piece).frames) {
      assert.equal(headers[':content-type'], 'application/x-amz-cbor-1.1');
      const type = headers[':event-type'] ?? headers[':exception-type'];
      frames.push(`${type} ${Buffer.from(bytes).toString('hex')}`);
    }
  }
  assert.deepEqual(frames, [
    'initial-response a0',
    'Came a2624174c11905dc64446174614178',
    'Came a16241740a',
    'ResourceNotFoundException a1676d65737361676564676f6e65',
  ]);
});

test('an event that is not declared is a bug, and ends the events', async () => {
  const { state, call, logged } = serve();
  async function* events(): AsyncGenerator<OutgoingEvent> {
    yield { type: 'toString', value: {} };
  }
  state.answer = () => new EventAnswer(events());
  const answer = await call({ headers: { 'x-amz-target': 'Test_20260101.Stream' } });
  assert.match((await framesOf(answer)).at(-1) ?? '', /^InternalFailureException/);
  assert.equal(logged[0]?.event, 'aws.bug');
});

const NOW = quietEnvironment().clock.now();
const PAIR = { accessKeyId: 'KEY', secretAccessKey: 'a secret of sixteen' };

function signed(body: string, action: string, secretAccessKey = PAIR.secretAccessKey): FakeRequest {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `Test_20260101.${action}` };
  const url = new URL('http://127.0.0.1:4567/');
  const signing = { ...PAIR, secretAccessKey, region: 'us-east-1', service: 'kinesis', now: NOW };
  return { body, headers: { ...signRequest({ method: 'POST', url, headers, body }, signing), host: url.host } };
}

test('with key pairs only what one of them signed is looked at, and only what it may do is done', async () => {
  const body = '{"Name":"a"}';
  type Row = readonly [name: string, pair: Partial<Credential>, parts: FakeRequest, said: RegExp, seen: unknown];
  const table: readonly Row[] = [
    ['signed', {}, signed(body, 'Act'), /^\{\}$/, [{ Name: 'a' }, 'the-id']],
    ['signed, the fast way', {}, signed(body, 'Quick'), /fast/, [body, 'the-id']],
    ['another body', {}, { ...signed(body, 'Quick'), body: '{"Name":"b"}' }, /InvalidSignature/, []],
    ['another secret', {}, signed(body, 'Act', 'not the secret at all'), /InvalidSignature/, []],
    ['not signed', {}, { body, headers: { authorization: '' } }, /MissingAuthenticationToken/, []],
    ['no JSON, not signed', {}, { body: '{', headers: { authorization: '' } }, /MissingAuthenticationToken/, []],
    ['no action, not signed', {}, { body, headers: { 'x-amz-target': '', authorization: '' } }, /MissingAuth/, []],
    ['an action allowed', { allow: ['kinesis:Q*'] }, signed(body, 'Quick'), /fast/, [body, 'the-id']],
    ['an action not allowed', { allow: ['kinesis:A*'] }, signed(body, 'Quick'), /AccessDenied.*kinesis:Quick/, []],
    ['a stream allowed: never the fast way', { on: ['a'] }, signed(body, 'Quick'), /^\{\}$/, [{ Name: 'a' }, 'the-id']],
    ['a stream not allowed', { on: ['b*'] }, signed(body, 'Quick'), /AccessDenied.*on resource: arn:a /, []],
    ['refused before the members are checked', { on: ['b'] }, signed('{"Name":""}', 'Act'), /AccessDenied/, []],
    ['a list is no input', { on: ['b'] }, signed('[]', 'Act'), /AccessDenied/, []],
  ];
  for (const [name, pair, parts, said, seen] of table) {
    const { state, call, counted } = serve([{ ...PAIR, ...pair }]);
    state.fast = () => new RawAnswer('{"At":"fast"}');
    const answer = await call({ ...parts, id: 'the-id' });
    assert.match(answer.body as string, said, name);
    assert.deepEqual(state.seen, seen, name);
    const isUnsigned = /Signature|Missing/.test(said.source);
    assert.deepEqual(counted, isUnsigned ? ['aws_unsigned_total'] : [], name);
  }
});

test('changes are noted, refused ones too; what is not signed is nobody’s', async () => {
  const { noted, call } = serve([{ ...PAIR, on: ['b'] }]);
  await call(signed('{"Name":"b"}', 'Act'));
  await call(signed('{"Name":"a"}', 'Act'));
  await call({ body: '{"Name":"b"}', headers: { authorization: '' } });
  const requestId = '00000000-0000-4000-8000-000000000000';
  const entry = { who: 'KEY', action: 'kinesis:Act', from: '127.0.0.1', requestId };
  assert.deepEqual(noted, [
    { ...entry, on: ['arn:b'] },
    { ...entry, on: ['arn:a'] },
  ]);
  const open = serve();
  await open.call();
  assert.deepEqual(open.noted, []);
});
