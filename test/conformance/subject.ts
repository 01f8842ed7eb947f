import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

/** The webhook route every subject serves, and where its records go. */
export const ROUTE = '/conformance/hook';
export const HOOK_STREAM = 'conformance-hooks';
export const HOOK_SECRET = process.env['CONFORMANCE_SECRET'] ?? 'It is a secret to everybody but this suite';
/** A delivery stream of the config file that reads HOOK_STREAM. */
export const HOOK_DELIVERY = 'conformance-archive';

const CONFIG = `gateway:
  routes:
    POST ${ROUTE}:
      verify: { github: { secrets: ['\${env:CONFORMANCE_SECRET}'] } }
      to: ${HOOK_STREAM}
streams:
  ${HOOK_STREAM}: { StreamModeDetails: { StreamMode: ON_DEMAND } }
deliveries:
  ${HOOK_DELIVERY}:
    from: ${HOOK_STREAM}
    ExtendedS3DestinationConfiguration:
      BucketARN: conformance
      BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 60 }
`;

const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';

/** Headers of a plain AWS JSON request, signed in shape. */
export function awsHeaders(target: string): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': target,
    'x-amz-date': '20260101T000000Z',
    authorization: AUTHORIZATION,
  };
}

/** One answer; `body` is parsed when it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What is under test: a node of our own, or the URLs of the environment. */
export class Subject {
  api = process.env['CONFORMANCE_API'] ?? '';
  gateway = process.env['CONFORMANCE_GATEWAY'] ?? '';
  /** Absent when the URLs name somebody else's. */
  node: NodeProcess | undefined;
  #data: string | undefined;
  /** Tells this run's names from those of others on the same node. */
  readonly run = randomUUID().slice(0, 8);

  async start(): Promise<void> {
    if (this.api !== '') {
      // Whether it was there before or not.
      await this.kinesis('CreateStream', { StreamName: HOOK_STREAM, StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
      return;
    }
    this.#data = temporaryDirectory('conformance');
    const config = join(this.#data, 'millrace.yaml');
    writeFileSync(config, CONFIG);
    const environment = { CONFORMANCE_SECRET: HOOK_SECRET };
    this.node = await startNodeProcess({ config, data: join(this.#data, 'data'), environment });
    this.api = this.node.api;
    this.gateway = this.node.gateway;
  }

  /** The exit code of our own node; 0 for a foreign one. */
  async stop(): Promise<number | null> {
    const code = this.node === undefined ? 0 : await this.node.stop();
    if (this.#data !== undefined) removeDirectory(this.#data);
    return code;
  }

  /** A name that nothing else uses. */
  name(purpose: string): string {
    return `conformance-${purpose}-${this.run}`;
  }

  /** Any body under any target. */
  async post(target: string, body: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
    return await answered(fetch(this.api, { method: 'POST', body, headers: awsHeaders(target) }));
  }

  async kinesis(action: string, input: unknown): Promise<Answer> {
    return await this.post(`Kinesis_20131202.${action}`, JSON.stringify(input));
  }

  async firehose(action: string, input: unknown): Promise<Answer> {
    return await this.post(`Firehose_20150804.${action}`, JSON.stringify(input));
  }

  /** A webhook to ROUTE, signed unless `headers` say otherwise. */
  async hook(
    id: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const own = { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': id };
    const signature = { 'x-hub-signature-256': signed(body) };
    const sent = { ...own, ...signature, ...headers };
    return await answered(fetch(this.gateway + ROUTE, { method: 'POST', body, headers: sent }));
  }
}

/** The value of GitHub's signature header. */
export function signed(body: string | Uint8Array, secret = HOOK_SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Reads an answer to its end. */
export async function answered(response: Promise<Response>): Promise<Answer> {
  const { status, headers, ...rest } = await response.then(async (one) => ({
    status: one.status,
    headers: one.headers,
    text: await one.text(),
  }));
  const isJson = /json/.test(headers.get('content-type') ?? '') && rest.text !== '';
  return { status, headers, text: rest.text, body: isJson ? (JSON.parse(rest.text) as Answer['body']) : {} };
}

/** The body of an answer that must be a 200. */
export async function ok<T = Readonly<Record<string, unknown>>>(answer: Promise<Answer>): Promise<T> {
  const { status, text, body } = await answer;
  assert.equal(status, 200, text);
  return body as T;
}

/** Asserts AWS's error shape: a 400 with exactly `__type` and, unless undefined, a message. */
export async function refuses(answer: Promise<Answer>, type: string, message?: string | RegExp): Promise<void> {
  const { status, body, text, headers } = await answer;
  assert.equal(status, 400, text);
  assert.equal(body['__type'], type, text);
  assert.equal(headers.get('x-amzn-errortype'), type);
  const said = body['message'] ?? body['Message'];
  if (message instanceof RegExp) assert.match(String(said), message);
  else assert.equal(said, message);
}

/** What each action must refuse: input, type, sentence. */
export type Refusals = Readonly<
  Record<string, readonly (readonly [input: object, type: string, message?: string | RegExp])[]>
>;

/** Asserts a table of refusals, row by row. */
export async function refusesAll(
  send: (action: string, input: object) => Promise<Answer>,
  refusals: Refusals,
): Promise<void> {
  for (const [action, rows] of Object.entries(refusals)) {
    for (const [input, type, message] of rows) await refuses(send(action, input), type, message);
  }
}

/** AWS's sentence about one violated constraint. */
export function violation(value: string, member: string, constraint: string): string {
  return `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`;
}

/** AWS's sentence about one member that is missing. */
export function isNull(member: string): string {
  const sentence = 'failed to satisfy constraint: Member must not be null';
  return `1 validation error detected: Value null at '${member}' ${sentence}`;
}

/** The same value so many times. */
export function repeated<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

/** Base64, as JSON carries bytes. */
export function base64(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString('base64');
}

/** A stream for the length of one test. */
export async function withStream(
  subject: Subject,
  shards: number,
  work: (name: string) => Promise<void>,
): Promise<void> {
  const name = subject.name('records');
  await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: shards }));
  try {
    await work(name);
  } finally {
    await ok(subject.kinesis('DeleteStream', { StreamName: name }));
  }
}
