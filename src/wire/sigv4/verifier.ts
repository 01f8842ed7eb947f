import { createHmac, hash, timingSafeEqual, type KeyObject } from 'node:crypto';
import { RequestError } from '../../kernel/errors.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Clock } from '../../ports/environment.ts';
import type { HttpRequest } from '../../ports/http.ts';
import { basicDate, readAuthorization, type Authorization } from './authorization.ts';
import { BodyDigest } from './body-digest.ts';
import { AUTHORITY, canonicalRequest, signedValue, type SignedParts } from './canonical-request.ts';
import { Principal, type Credential } from './principal.ts';
import { scopeText, signingKey } from './signing-key.ts';

const SKEW_MS = 5 * 60_000;
/** Keys kept: one for each key pair, day, region and service in use; about 300 bytes each. */
const KEYS_MAX = 1000;
/** A longer canonical string is not repeated in the answer. */
const SHOWN_CHARACTERS_MAX = 4096;
const DEFAULT_PORT = /:(80|443)$/;

interface Known {
  readonly principal: Principal;
  readonly secret: string;
}

/** Verifies requests signed with AWS Signature Version 4 by one of the given key pairs. */
export class Verifier {
  readonly #known: ReadonlyMap<string, Known>;
  readonly #clock: Clock;
  readonly #keys = new Map<string, KeyObject>();

  constructor(credentials: readonly Credential[], identity: Identity, clock: Clock) {
    this.#clock = clock;
    this.#known = new Map(
      credentials.map((credential) => [
        credential.accessKeyId,
        { principal: new Principal(credential, identity), secret: credential.secretAccessKey },
      ]),
    );
  }

  /** Looks at all but the body, so that nobody unknown makes us read one. Throws RequestErrors in AWS's sentences. */
  begin(request: HttpRequest, services: readonly string[]): Presented {
    const authorization = readAuthorization(request);
    const known = this.#known.get(authorization.accessKeyId);
    // Nobody gave these key pairs a session.
    if (known === undefined || authorization.token !== undefined) {
      throw new RequestError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    checkScope(authorization, services);
    checkTime(authorization, this.#clock.now());
    checkSignedHeaders(authorization, request);
    return new Presented(request, authorization, known, this.#keys);
  }
}

/** A signature of somebody known, still to be verified. */
export class Presented {
  readonly #request: HttpRequest;
  readonly #authorization: Authorization;
  readonly #known: Known;
  readonly #keys: Map<string, KeyObject>;
  readonly #digest = new BodyDigest();

  constructor(request: HttpRequest, authorization: Authorization, known: Known, keys: Map<string, KeyObject>) {
    this.#request = request;
    this.#authorization = authorization;
    this.#known = known;
    this.#keys = keys;
  }

  /** Takes each piece of the body in turn, while the body is still on its way. */
  readonly see = (piece: Uint8Array): void => this.#digest.add(piece);

  /** Who signed the request with the body that was seen. Throws RequestError InvalidSignatureException: nobody. */
  verify(): Principal {
    const { method, path, query, headers } = this.#request;
    const { signedHeaders } = this.#authorization;
    const payloadHash = this.#digest.hex();
    const announced = headers['x-amz-content-sha256'];
    // Only S3 takes UNSIGNED-PAYLOAD and the like.
    if (announced !== undefined && announced !== payloadHash) {
      throw invalid("The provided 'x-amz-content-sha256' header does not match what was computed.");
    }
    const parts = { method, path, query, headers, signedHeaders, payloadHash };
    const key = this.#key();
    if (this.#isSigned(key, parts)) return this.#known.principal;
    for (const other of otherForms(parts)) if (this.#isSigned(key, other)) return this.#known.principal;
    throw invalid(this.#mismatch(parts));
  }

  #isSigned({ key, scope }: { readonly key: KeyObject; readonly scope: string }, parts: SignedParts): boolean {
    const { signature, accessKeyId } = this.#authorization;
    const computed = createHmac('sha256', key)
      .update(this.#stringToSign(canonicalRequest(parts)))
      .digest();
    if (!timingSafeEqual(computed, Buffer.from(signature, 'hex'))) return false;
    this.#keep(`${accessKeyId}/${scope}`, key);
    return true;
  }

  #stringToSign(canonical: string): string {
    const { date, scope } = this.#authorization;
    return `AWS4-HMAC-SHA256\n${date}\n${scopeText(scope)}\n${hash('sha256', Buffer.from(canonical, 'latin1'))}`;
  }

  #key(): { readonly key: KeyObject; readonly scope: string } {
    const { accessKeyId, scope } = this.#authorization;
    const text = scopeText(scope);
    return { key: this.#keys.get(`${accessKeyId}/${text}`) ?? signingKey(this.#known.secret, scope), scope: text };
  }

  /** Only what verified once is kept: nobody without the secret can fill this. */
  #keep(name: string, key: KeyObject): void {
    if (this.#keys.has(name)) return;
    if (this.#keys.size >= KEYS_MAX) this.#keys.delete(this.#keys.keys().next().value ?? '');
    this.#keys.set(name, key);
  }

  #mismatch(parts: SignedParts): string {
    const canonical = canonicalRequest(parts);
    const sentence =
      'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
    if (canonical.length > SHOWN_CHARACTERS_MAX) return sentence;
    return (
      `${sentence}\n\nThe Canonical String for this request should have been\n'${canonical}'\n\n` +
      `The String-to-Sign should have been\n'${this.#stringToSign(canonical)}'\n`
    );
  }
}

/**
 * The same request as other signers see it: a default port belongs to the address and not to Host, and a repeated
 * header, which reaches us joined with `, `, is signed with a comma alone.
 */
function* otherForms(parts: SignedParts): Generator<SignedParts> {
  const { headers, signedHeaders } = parts;
  const host = headers['host'] ?? '';
  if (DEFAULT_PORT.test(host)) yield { ...parts, headers: { ...headers, host: host.replace(DEFAULT_PORT, '') } };
  const lists = signedHeaders.filter((name) => (headers[name] ?? '').includes(', '));
  if (lists.length === 0) return;
  const joined = lists.map((name) => [name, (headers[name] ?? '').replaceAll(', ', ',')] as const);
  yield { ...parts, headers: { ...headers, ...Object.fromEntries(joined) } };
}

/** Any region is taken, as that of an ARN is. */
function checkScope({ scope, date }: Authorization, services: readonly string[]): void {
  if (scope.region === '') throw invalid('Credential should be scoped to a valid region.');
  if (!services.includes(scope.service)) {
    throw invalid(`Credential should be scoped to correct service: '${services.join("' or '")}'.`);
  }
  if (scope.date !== date.slice(0, 8)) {
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${date.slice(0, 8)}', from '${date}'.`,
    );
  }
}

function checkTime({ date, at, expiresSeconds }: Authorization, now: number): void {
  const lifeMs = expiresSeconds === undefined ? SKEW_MS : expiresSeconds * 1000;
  if (at > now + SKEW_MS) {
    const bound = basicDate(now + SKEW_MS);
    throw invalid(`Signature not yet current: ${date} is still later than ${bound} (${basicDate(now)} + 5 min.)`);
  }
  if (at < now - lifeMs) {
    const bound = basicDate(now - lifeMs);
    const life = expiresSeconds === undefined ? '5 min.' : `${expiresSeconds} s.`;
    throw invalid(`Signature expired: ${date} is now earlier than ${bound} (${basicDate(now)} - ${life})`);
  }
}

/** Host and all of AWS's own headers, or they could be exchanged; and what is signed must be there. */
function checkSignedHeaders({ signedHeaders }: Authorization, { headers }: HttpRequest): void {
  if (!signedHeaders.includes('host') && !signedHeaders.includes(AUTHORITY)) {
    throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const name in headers) {
    if (name.startsWith('x-amz-') && !signedHeaders.includes(name)) {
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
  const missing = signedHeaders.find((name) => signedValue(headers, name) === undefined);
  if (missing !== undefined) throw invalid(`The signed header '${missing}' is not in the request.`);
}

function invalid(sentence: string): RequestError {
  return new RequestError('InvalidSignatureException', sentence);
}
