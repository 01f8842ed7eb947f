import { createHmac } from 'node:crypto';
import type { Put } from './kinesis.ts';

/** Sends a webhook signed as GitHub does; resolves with where it was stored, or undefined when it was refused. */
export async function postWebhook(url: string, secret: string, id: string, body: string): Promise<Put | undefined> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'ping',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
  });
  const text = await answer.text();
  return answer.status === 200 ? (JSON.parse(text) as Put) : undefined;
}
