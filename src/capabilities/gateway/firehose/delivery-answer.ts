import type { RequestError } from '../../../kernel/errors.ts';
import type { HttpAnswer, HttpRequest } from '../../../ports/http.ts';
import { jsonAnswer } from '../refusal-answer.ts';
import { REQUEST_ID_HEADER } from './delivery-request.ts';

/** AWS takes as much of an error message, in characters. */
const MESSAGE_CHARACTERS_MAX = 8192;

/** The answer by which Firehose counts a request as delivered; `note` tells what was left out. */
export function deliveredAnswer(requestId: string, nowMs: number, note: string | undefined): HttpAnswer {
  const message = note?.slice(0, MESSAGE_CHARACTERS_MAX);
  return jsonAnswer(200, { requestId, timestamp: nowMs, ...(message !== undefined && { errorMessage: message }) });
}

/** A refusal in the form of AWS's response specification 1.0: Firehose tries again, but for 413. */
export function undeliveredAnswer(
  { headers }: Pick<HttpRequest, 'headers'>,
  nowMs: number,
  refused: RequestError,
): HttpAnswer {
  const requestId = headers[REQUEST_ID_HEADER] ?? '';
  const errorMessage =
    refused.code === 'Unauthorized'
      ? 'the access key is missing or wrong'
      : refused.message.slice(0, MESSAGE_CHARACTERS_MAX);
  return jsonAnswer(refused.status, { requestId, timestamp: nowMs, errorMessage }, refused.headers);
}
