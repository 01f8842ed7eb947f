import { createHmac } from 'node:crypto';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { Functions } from '../../ports/functions.ts';
import { fakeRequest, type FakeRequest } from '../../testing/fake-request.ts';
import type { Answer, NodeBench } from '../../testing/node-bench.ts';
import { textOf } from '../../testing/text-of.ts';

export { base64, NodeBench, type Answer } from '../../testing/node-bench.ts';

/** The secret of the route. */
export const SECRET = 'It is a secret to everybody';

/** A config with one verified route; `more` are further options of the route. */
export function oneRoute(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    streams: { hooks: { ShardCount: 2 } },
    gateway: {
      routes: { 'POST /hook': { verify: { github: { secrets: ['an older one', SECRET] } }, to: 'hooks', ...more } },
    },
  };
}

/** The headers GitHub sends, signed. */
export function signed(id: string, body: string | Uint8Array, secret: string = SECRET): Record<string, string> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${signature}`,
  };
}

/** Sends one webhook to the route. */
export async function send(bench: NodeBench, id: string, body: string): Promise<Answer> {
  return await bench.post('/hook', signed(id, body), body);
}

/** All records of the stream, those of closed shards among them: partition key and data. */
export async function stored(bench: NodeBench): Promise<readonly (readonly [string, string])[]> {
  const records: [string, string][] = [];
  const { Shards } = await bench.call('Kinesis_20131202.ListShards', { StreamName: 'hooks' });
  for (const { ShardId } of Shards) {
    const asked = { StreamName: 'hooks', ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
    const page = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator });
    for (const { PartitionKey, Data } of page.Records)
      records.push([PartitionKey, Buffer.from(Data, 'base64').toString()]);
  }
  return records;
}

/** What a request says beside what a plain POST would. */
export type Asked = FakeRequest;

/** What the gateway answered: its body as text, and as JSON where it is some. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[] | undefined;
  readonly text: string;
  readonly json: Answer;
}

/** Sends any request. */
export async function ask(bench: NodeBench, asked: Asked): Promise<Told> {
  const { status, headers, cookies, body } = await bench.simulation.drive(bench.node.gateway(fakeRequest(asked)));
  const text = textOf(body);
  return { status, headers, cookies, text, json: jsonOf(text) };
}

/** What a function of a test does: returns its value, or fails. */
export type Handler = (event: Answer) => unknown;

/** A way for a handler to end that is no return: it never ends, throws, or is not taken. */
export class Ends extends Error {
  readonly how: 'never' | 'throws' | 'busy';
  constructor(how: Ends['how'], message = 'it threw') {
    super(message);
    this.how = how;
  }
}

/** Functions that run in the test itself; a handler's own errors are bugs of the test. */
export function functionsOf(handlers: Readonly<Record<string, Handler>>): Functions & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    has: (name) => handlers[name] !== undefined,
    async invoke(name, event, { signal } = {}) {
      const handler = handlers[name];
      if (handler === undefined) throw new RequestError('ResourceNotFoundException', `no ${name}`, 404);
      calls.push(name);
      const base = { requestId: 'r', logTail: '' };
      try {
        const value = handler(JSON.parse(textOf(event)));
        const payload =
          typeof value === 'string' && value.startsWith('raw:') ? value.slice(4) : JSON.stringify(value ?? null);
        return { ...base, payload: Buffer.from(payload) };
      } catch (error) {
        if (!(error instanceof Ends)) throw error;
        if (error.how === 'busy') throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
        if (error.how === 'never') await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        const failure = { type: 'Error', message: error.message };
        return { ...base, payload: Buffer.from(JSON.stringify({ errorMessage: error.message })), failure };
      }
    },
  };
}

function jsonOf(text: string): Answer {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
