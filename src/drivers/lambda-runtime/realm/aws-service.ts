import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signRequest } from '../../../wire/sigv4/sign.ts';
import { binaryOf } from './bson-globals.ts';
import { knownMembers } from './known-members.ts';
import type { RealmPackages } from './packages.ts';
import type { Pending } from './pending.ts';

/** An AWS API that speaks JSON: where it is, and how its actions are named on the wire. */
interface Api {
  readonly service: string;
  readonly target: string;
  readonly endpointVariable: string;
}

const APIS: Readonly<Record<string, Api>> = {
  kinesis: { service: 'kinesis', target: 'Kinesis_20131202', endpointVariable: 'AWS_ENDPOINT_URL_KINESIS' },
  firehose: { service: 'firehose', target: 'Firehose_20150804', endpointVariable: 'AWS_ENDPOINT_URL_FIREHOSE' },
};
const TRIES = 3;
const PAUSE_MS = 50;
const CALL_MS_MAX = 30_000;
const RETRIED = /Throttl|ProvisionedThroughputExceeded|LimitExceeded|ServiceUnavailable|InternalFailure/;
const ACTION = /^[A-Z][A-Za-z]{2,63}$/;

/** What the calls need of the process. */
export interface AwsParts {
  readonly packages: RealmPackages;
  readonly pending: Pending;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The service's own; else AWS_REGION. */
  readonly region: string | undefined;
}

/** An AWS error as functions see it. */
export class AwsError extends Error {
  readonly code: string;
  readonly statusCode: number;

  constructor(code: string, message: string, statusCode: number) {
    super(`${code}: ${message}`);
    this.name = code;
    this.code = code;
    this.statusCode = statusCode;
  }
}

/** `context.services.get(NAME)`: every action of Kinesis and Firehose by its name, to the endpoints of this node. */
export function awsService(name: string, parts: AwsParts): object {
  const apis = Object.entries(APIS).map(([word, api]) => {
    return [word, (region?: unknown) => actions(api, parts, region)] as const;
  });
  return knownMembers(Object.fromEntries(apis), `context.services.get('${name}')`);
}

function actions(api: Api, parts: AwsParts, region: unknown): object {
  const where = typeof region === 'string' && region !== '' ? region : parts.region;
  return new Proxy(
    {},
    {
      get: (_target, action) =>
        typeof action === 'string' && ACTION.test(action)
          ? (input: unknown = {}) => parts.pending.track(call(api, action, input, { ...parts, region: where }))
          : undefined,
    },
  );
}

/** As AWS's own clients do: what was throttled, or got no answer, is tried again after a pause. */
async function call(api: Api, action: string, input: unknown, parts: AwsParts): Promise<unknown> {
  const body = JSON.stringify(encoded(input));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return decoded(await send(api, action, body, parts), parts.packages);
    } catch (error) {
      const isFinal = error instanceof AwsError && error.statusCode < 500 && !RETRIED.test(error.code);
      if (isFinal || attempt >= TRIES) throw error;
      await sleep(PAUSE_MS * 2 ** attempt + randomInt(PAUSE_MS));
    }
  }
}

async function send(api: Api, action: string, body: string, { variables, region }: AwsParts): Promise<unknown> {
  const endpoint = variables[api.endpointVariable];
  if (endpoint === undefined) throw new Error(`${api.endpointVariable} says where ${api.service} is, and is not set`);
  const url = new URL(endpoint);
  const token = variables['AWS_SESSION_TOKEN'];
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `${api.target}.${action}`,
    ...(token !== undefined && token !== '' && { 'x-amz-security-token': token }),
  };
  const signed = signRequest(
    { method: 'POST', url, headers, body },
    {
      accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
      region: region ?? variables['AWS_REGION'] ?? 'us-east-1',
      service: api.service,
      now: Date.now(),
    },
  );
  const answer = await fetch(url, { method: 'POST', headers: signed, body, signal: AbortSignal.timeout(CALL_MS_MAX) });
  const text = await answer.text();
  if (answer.ok) return text === '' ? {} : JSON.parse(text);
  throw refusal(answer.status, text);
}

function refusal(status: number, text: string): AwsError {
  const told = parsed(text);
  const code = (told['__type'] ?? 'UnknownError').replace(/^.*#/, '');
  return new AwsError(code, told['message'] ?? told['Message'] ?? text.slice(0, 1000), status);
}

/** The members that are texts. */
function parsed(text: string): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text);
    const texts = Object.entries(value ?? {}).filter(([, member]) => typeof member === 'string');
    return Object.fromEntries(texts) as Record<string, string>;
  } catch {
    return {};
  }
}

/** `Data` may be a text, whose UTF-8 is meant, or a Binary; numbers may be BSON's, and times are seconds. */
function encoded(value: unknown, name = ''): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (name === 'Data' && typeof value === 'string') return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((member) => encoded(member));
  if (typeof value !== 'object' || value === null) return value;
  const { _bsontype: type } = value as { readonly _bsontype?: unknown };
  if (type === 'Binary') return encoded((value as { readonly buffer: Uint8Array }).buffer);
  if (type === 'ObjectId') return JSON.parse(JSON.stringify(value));
  if (type !== undefined) return Number(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encoded(member, key)]));
}

/** `Data` comes back as a Binary. */
function decoded(value: unknown, packages: RealmPackages, name = ''): unknown {
  if (name === 'Data' && typeof value === 'string') return binaryOf(packages, Buffer.from(value, 'base64'));
  if (Array.isArray(value)) return value.map((member) => decoded(member, packages));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decoded(member, packages, key)]));
}
