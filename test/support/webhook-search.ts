import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeProcess } from './node-process.ts';

const HOME = 'examples/webhook-search';

/** Config of the example. */
export const WEBHOOK_SEARCH = join(HOME, 'millrace.yaml');

/** What is to become of its events. */
export interface WebhookSearchExpected {
  readonly accepted: number;
  readonly duplicates: number;
  readonly stream: string;
  readonly records: number;
  readonly bucket: string;
  readonly objects: number;
  readonly objectName: string;
  readonly index: string;
  readonly documents: number;
  readonly failedBucket: string;
  readonly pausedWithoutCluster: readonly string[];
}

/** Where the record of an event stands. */
export interface Stored {
  readonly duplicate: boolean;
  readonly SequenceNumber: string;
}

export function webhookSearchExpected(): WebhookSearchExpected {
  return JSON.parse(readFileSync(join(HOME, 'expected.json'), 'utf8')) as WebhookSearchExpected;
}

/** The sample events, byte for byte. */
export function webhookSearchEvents(): readonly Buffer[] {
  return readdirSync(join(HOME, 'events')).map((name) => readFileSync(join(HOME, 'events', name)));
}

/** Sends each sample event once, as GitHub does, all at the same time. */
export async function sendWebhookSearchEvents(node: NodeProcess): Promise<readonly Stored[]> {
  return await Promise.all(
    webhookSearchEvents().map(async (body, index) => await send(node, `delivery-${index}`, body)),
  );
}

async function send(node: NodeProcess, id: string, body: Buffer): Promise<Stored> {
  const signature = createHmac('sha256', node.secret('GITHUB_WEBHOOK')).update(body).digest('hex');
  const answer = await fetch(`${node.gateway}/test/git-data`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as Stored;
}
