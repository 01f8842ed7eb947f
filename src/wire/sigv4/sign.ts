import { createHmac, hash } from 'node:crypto';
import { basicDate } from './authorization.ts';
import { canonicalRequest } from './canonical-request.ts';
import { scopeText, signingKey } from './signing-key.ts';

/** A request to be signed in its headers. */
export interface Unsigned {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body, or its SHA-256 in hex where whoever sends it has hashed it piece by piece. */
  readonly body: string | Uint8Array | { readonly sha256: string };
}

/** Whose signature, for which service and region, and when (ms). */
export interface Signing {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
  readonly now: number;
}

/** The request's headers with those that sign it by AWS Signature Version 4; `host` is left to whoever sends it. */
export function signRequest({ method, url, headers, body }: Unsigned, signing: Signing): Record<string, string> {
  const { accessKeyId, secretAccessKey, region, service, now } = signing;
  const date = basicDate(now);
  const scope = { date: date.slice(0, 8), region, service };
  const own = { ...headers, 'x-amz-date': date };
  const signed: Record<string, string> = { ...own, host: url.host };
  const signedHeaders = Object.keys(signed).sort();
  const query = url.search.slice(1);
  const payloadHash = isHashed(body) ? body.sha256 : hash('sha256', body);
  const canonical = canonicalRequest({
    method,
    path: url.pathname,
    query,
    headers: signed,
    signedHeaders,
    payloadHash,
  });
  const text = `AWS4-HMAC-SHA256\n${date}\n${scopeText(scope)}\n${hash('sha256', Buffer.from(canonical, 'latin1'))}`;
  const signature = createHmac('sha256', signingKey(secretAccessKey, scope)).update(text).digest('hex');
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeText(scope)}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { ...own, authorization };
}

function isHashed(body: Unsigned['body']): body is { readonly sha256: string } {
  return typeof body === 'object' && 'sha256' in body;
}
