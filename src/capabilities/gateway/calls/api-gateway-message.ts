import type { HttpAnswer } from '../../../ports/http.ts';
import { jsonAnswer } from '../refusal-answer.ts';

/** An answer that API Gateway gives by itself: `{"message"}`. */
export function apiGatewayMessage(status: number, message: string): HttpAnswer {
  return jsonAnswer(status, { message });
}
