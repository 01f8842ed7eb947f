import { refusal } from '../errors.ts';
import { limits } from '../limits.ts';
import { refusalAnswer } from '../refusal-answer.ts';
import type { CallForm } from './call.ts';

/** The event is the JSON body (of a form the JSON in it), and the answer what the function returns. */
export const body: CallForm = {
  name: 'body',
  timeoutMs: limits.functionTimeoutMs,
  readsContent: true,
  event({ content }) {
    // As API Gateway does it without a proxy: no body is an empty object.
    if (content.bytes.length === 0) return {};
    const bytes = content.jsonBytes;
    if (bytes === undefined) throw refusal('InvalidBody');
    return bytes;
  },
  answer: ({ payload }) => ({ status: 200, headers: { 'content-type': 'application/json' }, body: payload }),
  failed: refusalAnswer(refusal('FunctionFailed')),
  timedOut: refusalAnswer(refusal('FunctionTimeout')),
};
