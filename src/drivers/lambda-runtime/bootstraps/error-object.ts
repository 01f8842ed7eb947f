import { format } from 'node:util';

/** An error as Lambda's Node runtime tells it. */
export interface ErrorObject {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** Whatever was thrown, in Lambda's shape. */
export function errorObject(thrown: unknown, type?: string): ErrorObject {
  if (thrown instanceof Error || isErrorLike(thrown)) {
    const { name, message, stack = '' } = thrown;
    return { errorType: type ?? name, errorMessage: message, trace: stack.split('\n') };
  }
  return { errorType: type ?? typeof thrown, errorMessage: text(thrown), trace: [] };
}

function text(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : format('%j', thrown);
  } catch {
    return 'an error that cannot be told';
  }
}

/** Of another realm, such as one of `node:vm`. */
function isErrorLike(thrown: unknown): thrown is Error {
  const { name, message } = (thrown ?? {}) as { readonly name?: unknown; readonly message?: unknown };
  return typeof name === 'string' && typeof message === 'string';
}
