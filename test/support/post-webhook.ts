import { createHmac } from 'node:crypto';
import type { Put } from './kinesis.ts';

/** What the sender of a webhook was told. */
export interface WebhookAnswer {
  readonly status: number;
  readonly text: string;
}

/** What it is told of one that was stored. */
export interface StoredWebhook extends Put {
  readonly duplicate: boolean;
}

/** Headers of a webhook signed as GitHub does. */
export function webhookHeaders(secret: string, id: string, body: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'ping',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
}

/** Sends one; rejects when there is no answer, or only a part of one. */
export async function sendWebhook(url: string, secret: string, id: string, body: string): Promise<WebhookAnswer> {
  const answer = await fetch(url, { method: 'POST', body, headers: webhookHeaders(secret, id, body) });
  return { status: answer.status, text: await answer.text() };
}

/** Sends one; resolves with where it was stored, or undefined when it was refused. */
export async function postWebhook(url: string, secret: string, id: string, body: string): Promise<Put | undefined> {
  const { status, text } = await sendWebhook(url, secret, id, body);
  return status === 200 ? (JSON.parse(text) as Put) : undefined;
}
