import { RequestError } from '../../kernel/errors.ts';

/** The closed list of AWS exception names that actions of Lambda raise here, with the status of each. */
export const functionsErrors = {
  InvalidRequestContentException: 400,
  RequestEntityTooLargeException: 413,
  RequestTooLargeException: 413,
  ResourceNotFoundException: 404,
  ServiceException: 503,
  TooManyRequestsException: 429,
  ValidationException: 400,
} as const;

/** One of `functionsErrors`. */
export type FunctionsError = keyof typeof functionsErrors;

/** A refusal with an AWS exception name and sentence. */
export function functionsError(code: FunctionsError, sentence: string): RequestError {
  return new RequestError(code, sentence, functionsErrors[code]);
}

/** AWS's sentence for a function, or a version of one, that does not exist. */
export function functionNotFound(arn: string): RequestError {
  return functionsError('ResourceNotFoundException', `Function not found: ${arn}`);
}

/** AWS's sentence for an event that is larger than its kind of call takes. */
export function eventTooLarge(bytes: number, type: string, bytesMax: number): RequestError {
  const sentence = `${bytes} byte payload is too large for the ${type} invocation type (limit ${bytesMax} bytes)`;
  return functionsError('RequestTooLargeException', sentence);
}
