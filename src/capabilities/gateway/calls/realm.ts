import type { RealmWebhookEvent } from '../../../ports/realm-webhook.ts';
import { refusal } from '../errors.ts';
import { limits } from '../limits.ts';
import { refusalAnswer } from '../refusal-answer.ts';
import type { CallForm } from './call.ts';
import { functionAnswer, type GivenHeader } from './function-answer.ts';
import { headerLinesOf } from './request-facts.ts';

/** Webhooks of MongoDB Realm: the function is called with `(payload, response)`. */
export const realm: CallForm = {
  name: 'realm',
  timeoutMs: limits.functionTimeoutMs,
  readsContent: false,
  event(call): RealmWebhookEvent {
    const { method, path, query, remoteAddress } = call.request;
    const bodyBase64 = Buffer.from(call.body).toString('base64');
    return { realmWebhook: { method, path, query, headers: headerLinesOf(call), bodyBase64, remoteAddress } };
  },
  answer(returned) {
    const headers = returned.member('headers');
    if (!Array.isArray(headers) || !headers.every(isLine)) return undefined;
    return functionAnswer({
      statusCode: returned.member('statusCode'),
      headers,
      cookies: [],
      body: returned.member('bodyBase64'),
      isBase64: true,
      contentType: 'application/json',
    });
  },
  failed: refusalAnswer(refusal('FunctionFailed')),
  timedOut: refusalAnswer(refusal('FunctionTimeout')),
};

function isLine(line: unknown): line is GivenHeader {
  return Array.isArray(line) && line.length === 2 && typeof line[0] === 'string';
}
