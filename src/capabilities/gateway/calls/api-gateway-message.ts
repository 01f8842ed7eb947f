import type { HttpAnswer } from '../../../ports/http.ts';
import { jsonAnswer } from '../refusal-answer.ts';

/** An answer that API Gateway gives by itself: `{"message"}`. */
export function apiGatewayMessage(status: number, message: string): HttpAnswer {
  return jsonAnswer(status, { message });
}

/** What it says to senders that it does not let pass, in place of our own words, by their codes. */
export const apiGatewayRefusals: ReadonlyMap<string, HttpAnswer> = new Map([
  ['Unauthorized', apiGatewayMessage(401, 'Unauthorized')],
  ['Forbidden', apiGatewayMessage(403, 'Forbidden')],
]);
