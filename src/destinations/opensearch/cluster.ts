import { createHash } from 'node:crypto';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { nameOfArn } from '../../kernel/names.ts';
import { withoutSecrets } from '../../kernel/without-secrets.ts';
import type { DestinationDoors } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import type { ClusterAccess } from '../../ports/search-clusters.ts';
import { signRequest } from '../../wire/sigv4/sign.ts';
import { connectionFailure, failure } from './errors.ts';
import type { Naming } from './naming.ts';
import type { OpenSearchOptions } from './options.ts';

/** Longer than an engine itself waits for a part of it that is away (one minute). */
const TIMEOUT_MS = 90_000;
/** Bytes that are hashed in one turn of the loop. */
const HASHED_BYTES = 1024 * 1024;
const SERVICE = 'es';

/** A request, below the cluster's URL. */
export interface ClusterRequest {
  readonly method: 'GET' | 'POST';
  /** With query. */
  readonly path: string;
  readonly body?: Uint8Array;
  readonly answerBytesMax: number;
}

/** An answer with its whole body. */
export interface ClusterAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

type Doors = Pick<DestinationDoors, 'http' | 'clusters'>;

/** The cluster of a delivery: where it is, and how to ask it. */
export class Cluster {
  readonly #options: OpenSearchOptions;
  readonly #naming: Naming;
  readonly #doors: Doors;
  readonly #environment: Environment;
  /** What was sent with requests: the section may hold others by the time of the answer. */
  readonly #secrets = new Set<string>();

  constructor(options: OpenSearchOptions, naming: Naming, doors: Doors, environment: Environment) {
    this.#options = options;
    this.#naming = naming;
    this.#doors = doors;
    this.#environment = environment;
  }

  /** Without a slash at its end. Throws DeliveryError DomainNotFound. */
  get url(): string {
    const { ClusterEndpoint: endpoint, DomainARN: arn } = this.#options;
    const url = endpoint ?? this.#doors.clusters.endpoint(nameOfArn(arn ?? ''));
    if (url !== undefined) return url.replace(/\/+$/, '');
    const message = `no endpoint of the domain ${nameOfArn(arn ?? '')}: the section opensearch names it`;
    throw failure(this.#naming, 'DomainNotFound', message);
  }

  /** Any status is an answer. Rejects with DeliveryErrors. */
  async ask({ method, path, body, answerBytesMax }: ClusterRequest, signal: AbortSignal): Promise<ClusterAnswer> {
    const url = this.url + path;
    const content = body === undefined ? {} : { 'content-type': 'application/x-ndjson' };
    const proof = await this.#proof({ method, url, headers: content, body: body ?? new Uint8Array() });
    const headers = { ...content, ...proof };
    const request = { url, method, headers, timeoutMs: TIMEOUT_MS, signal, ...(body !== undefined && { body }) };
    try {
      const answer = await this.#doors.http.send(request);
      return { status: answer.status, body: await answer.readBody(answerBytesMax) };
    } catch (error) {
      if (signal.aborted) throw failure(this.#naming, 'Stopped', 'the node stops');
      throw connectionFailure(this.#naming, this.url, error);
    }
  }

  /** What the cluster said, without what proves who asks. */
  withoutSecrets(text: string): string {
    return withoutSecrets(text, this.#secrets);
  }

  async #proof(request: Unsigned): Promise<Readonly<Record<string, string>>> {
    const access = await this.#doors.clusters.access(this.url);
    if (access.kind === 'none') return {};
    if (access.kind === 'missing') throw failure(this.#naming, 'NoCredentials', `${this.url}: ${access.reason}`);
    if (access.kind === 'basic') {
      const pair = Buffer.from(`${access.username}:${access.password}`).toString('base64');
      this.#secrets.add(access.password).add(pair);
      return { authorization: `Basic ${pair}` };
    }
    this.#secrets.add(access.secretAccessKey).add(access.sessionToken ?? '');
    return await this.#signature(access, request);
  }

  async #signature(
    { sessionToken, ...pair }: Extract<ClusterAccess, { kind: 'sigv4' }>,
    { method, url, headers, body }: Unsigned,
  ): Promise<Readonly<Record<string, string>>> {
    const { clock } = this.#environment;
    const sha256 = createHash('sha256');
    for (let at = 0; at < body.length; at += HASHED_BYTES) {
      sha256.update(body.subarray(at, at + HASHED_BYTES));
      await nextTurn(clock);
    }
    const own = { ...headers, ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }) };
    const unsigned = { method, url: new URL(url), headers: own, body: { sha256: sha256.digest('hex') } };
    return signRequest(unsigned, { ...pair, service: SERVICE, now: clock.now() });
  }
}

interface Unsigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
