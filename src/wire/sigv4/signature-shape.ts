import { RequestError } from '../../kernel/errors.ts';
import type { HttpRequest } from '../../ports/http.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const PARTS = ['Credential', 'Signature', 'SignedHeaders'] as const;

/**
 * Checks that a request is signed, not by whom: RequestError MissingAuthenticationTokenException,
 * IncompleteSignatureException or InvalidSignatureException in AWS's sentences.
 */
export function checkSignatureShape(request: HttpRequest): void {
  if (isUsuallySigned(request)) return undefined;
  const header = request.headers['authorization'];
  const query = new URLSearchParams(request.query);
  if (query.has('X-Amz-Algorithm')) {
    if (header !== undefined) {
      throw new RequestError(
        'InvalidSignatureException',
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
      );
    }
    return checkQuery(query);
  }
  if (header === undefined || !header.trim().startsWith('AWS4-')) {
    throw new RequestError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  return checkHeader(header, request);
}

/** What every SDK sends, told at a glance. */
const USUAL = /^AWS4-HMAC-SHA256 Credential=[^,]+, ?SignedHeaders=[^,]+, ?Signature=[^,]+$/;

/** Whether the request is signed as every SDK does it, in its headers; others may be right as well. */
export function isUsuallySigned({ headers, query }: HttpRequest): boolean {
  const { authorization } = headers;
  return (
    query === '' && authorization !== undefined && headers['x-amz-date'] !== undefined && USUAL.test(authorization)
  );
}

function checkQuery(query: URLSearchParams): void {
  const missing = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date']
    .filter((name) => (query.get(name) ?? '') === '')
    .map((name) => `AWS query-string parameters must include '${name}'.`);
  if (missing.length > 0) throw incomplete(`${missing.join(' ')} Re-examine the query-string parameters.`);
}

function checkHeader(header: string, request: HttpRequest): void {
  const given = new Set(
    header
      .trim()
      .replace(/^\S+/, '')
      .split(',')
      .map((part) => part.trim().split('=', 1)[0] ?? ''),
  );
  const missing = PARTS.filter((part) => !given.has(part)).map(
    (part) => `Authorization header requires '${part}' parameter.`,
  );
  if (request.headers['x-amz-date'] === undefined && request.headers['date'] === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  const algorithm = header.trim().split(/\s/, 1)[0] ?? '';
  if (algorithm !== ALGORITHM) missing.push(`The algorithm must be ${ALGORITHM}.`);
  // The header itself is a credential: AWS repeats it, we do not.
  if (missing.length > 0) throw incomplete(missing.join(' '));
}

function incomplete(sentence: string): RequestError {
  return new RequestError('IncompleteSignatureException', sentence);
}
