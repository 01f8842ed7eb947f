import { Defect, RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer } from '../../ports/http.ts';
import { plainAnswer } from './plain-answer.ts';

/** Logs what is a bug of ours under the request's id, and counts it. */
export function reportBug(error: unknown, requestId: string, { log, meter }: Pick<Environment, 'log' | 'meter'>): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error('http.bug', { requestId, family: error instanceof Defect ? 'Defect' : 'Error', message });
  meter.count('http_bugs_total');
}

/** The answer to whatever a handler was ended by; what is a bug of ours is logged under the request's id. */
export function errorAnswer(error: unknown, requestId: string, { log, meter }: Environment): HttpAnswer {
  if (error instanceof RequestError) {
    return plainAnswer(error.status, error.code, error.message, error.headers);
  }
  if (error instanceof ThrottleError) {
    const seconds = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
    return plainAnswer(503, error.code, error.message, { 'retry-after': seconds });
  }
  reportBug(error, requestId, { log, meter });
  return plainAnswer(500, 'InternalFailure', `this is a bug of millrace; its log names it by ${requestId}`);
}
