import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenFraming, brokenRequests, gatewayRequests, type Case } from './malformed-requests.ts';
import { alteredTokens, wrongBodies } from './malformed-inputs.ts';
import { awsRequest, rawRequest, sendRaw, type RawAnswer } from './raw.ts';
import { base64, HOOK_STREAM, ok, ROUTE, signed, type Subject } from './subject.ts';

const SLOW_MS = 15_000;

/** Hostile input of every kind: a 4xx or a closed connection, never a 500, and the node goes on. */
export function malformedConformance(subject: Subject): void {
  describe('malformed input', () => {
    test('members of wrong types, in every action', async () => {
      for (const { target, body, what } of wrongBodies()) {
        const { status, text } = await subject.post(target, body);
        assert.equal(status, 400, `${target} ${what}: ${text.slice(0, 300)}`);
      }
      await works(subject);
    });
    test('tokens and iterators: garbage, and well sealed ones with altered content', async (context) => {
      const { host, ...tokens } = await alteredTokens(subject);
      for (const { action, input, isGarbage } of tokens.all) {
        const { status, text } = await subject.kinesis(action, input);
        const what = `${action} ${JSON.stringify(input)}: ${text.slice(0, 300)}`;
        assert.ok(status < 500, what);
        if (isGarbage) assert.equal(status, 400, what);
      }
      context.diagnostic(`${tokens.all.length} tokens`);
      await ok(subject.kinesis('DeleteStream', { StreamName: host }));
      await works(subject);
    });
    test('requests that are not as the protocol has them', async () => {
      await allRefused(subject.api, brokenRequests(subject.api));
      await works(subject);
    });
    test('framing that is cut, doubled, contradictory or endless', async () => {
      await allRefused(subject.api, brokenFraming(subject.api));
      await works(subject);
    });
    test('the gateway', async (context) => {
      if (subject.gateway === '') return context.skip('CONFORMANCE_GATEWAY names no gateway');
      await allRefused(subject.gateway, gatewayRequests(subject));
      return await works(subject);
    });
  });
}

/** A few at once: some answers linger until the sender has stopped. */
async function allRefused(url: string, cases: readonly Case[]): Promise<void> {
  const rest = cases.values();
  const work = async (): Promise<void> => {
    for (const one of rest) await refused(url, one);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function refused(url: string, { what, bytes, sending, status: expected }: Case): Promise<void> {
  const { status, text } = await sendRaw(url, bytes, sending).catch((error: Error) => {
    throw new Error(`${what}: ${error.message}`);
  });
  const said = `${what}: ${text.slice(0, 300)}`;
  if (expected !== undefined) assert.equal(status, expected, said);
  else assert.ok(status === undefined || (status >= 400 && status < 500), said);
}

/** Ready, and a record that is put can be read. */
async function works(subject: Subject): Promise<void> {
  assert.equal((await fetch(`${subject.api}/readyz`)).status, 200);
  const text = `after ${performance.now()}`;
  const put = { StreamName: HOOK_STREAM, Data: base64(text), PartitionKey: 'after' };
  const { ShardId, SequenceNumber } = await ok(subject.kinesis('PutRecord', put));
  const start = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: SequenceNumber };
  const place = { StreamName: HOOK_STREAM, ShardId, ...start };
  const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', place));
  const { Records } = await ok(subject.kinesis('GetRecords', { ShardIterator, Limit: 1 }));
  assert.equal((Records as readonly { Data: string }[])[0]?.Data, base64(text));
}

/** Senders that stop in mid-request; they take as long as the limits, so they run beside everything else. */
export class SlowSenders {
  readonly #running = new Map<string, Promise<RawAnswer>>();

  begin({ api, gateway }: Subject): void {
    const body = '{}';
    const announced = { 'content-length': '10' };
    const hook = { 'content-type': 'application/json', 'x-hub-signature-256': signed(body), ...announced };
    const send = (what: string, url: string, bytes: string | Uint8Array): void => {
      const answer = sendRaw(url, bytes, { withinMs: SLOW_MS });
      // Looked at only at the end.
      answer.catch(() => undefined);
      this.#running.set(what, answer);
    };
    send('headers without an end', api, 'POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: a');
    send('a body without an end', api, awsRequest(api, { headers: announced, body }));
    send('a connection without a request', api, 'P');
    if (gateway !== '') {
      send('a webhook without an end', gateway, rawRequest(gateway, `POST ${ROUTE} HTTP/1.1`, hook, { body }));
    }
  }

  conformance(): void {
    test('slow senders are answered 408, or closed, when their time is over', async (context) => {
      for (const [what, running] of this.#running) {
        const { status, ms } = await running;
        assert.ok(status === undefined || status === 408, `${what}: ${status}`);
        assert.ok(ms > 1000, `${what}: not at once`);
        context.diagnostic(`${what}: ${status} after ${Math.round(ms)} ms`);
      }
    });
  }
}
