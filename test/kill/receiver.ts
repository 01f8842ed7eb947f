import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { endServer, onLoopback } from '../../src/testing/loopback.ts';

/** Before an answer, at most: a kill then falls between what the receiver took and what the node knows. */
const ANSWER_MS_MAX = 60;
/** So many of the requests are answered with 503, and so many with no answer at all. */
const REFUSED = 0.15;
const BROKEN = 0.1;

/** What is known of the requests of one id. */
interface Request {
  /** Of its body before compression. */
  readonly digest: string;
  /** It was taken this often. */
  taken: number;
  /** In which lives of the node it came. */
  readonly lives: Set<number>;
}

/** An HTTP endpoint that remembers all it was sent, answers late, and at times not at all. */
export class Receiver {
  /** Requests by their id. */
  readonly requests = new Map<string, Request>();
  /** The ids of the requests with which a record was taken, each time it was. */
  readonly taken = new Map<string, string[]>();
  /** What no node may send, and one sent. */
  readonly faults: unknown[] = [];
  /** Requests whose answer is not sent yet. */
  held = 0;
  /** Counts the lives of the node. */
  life = 0;
  /** Takes everything at once. */
  isCalm = false;
  readonly #server: Server;
  readonly #isPoison: (text: string) => boolean;

  /** `isPoison`: records that no request may hold. */
  constructor(isPoison: (text: string) => boolean) {
    this.#isPoison = isPoison;
    this.#server = createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => this.faults.push(error));
    });
  }

  async listen(): Promise<string> {
    return `${await onLoopback(this.#server)}/in`;
  }

  close(): void {
    endServer(this.#server);
  }

  /** Records that were taken more than once, counted each time after the first. */
  get duplicates(): number {
    return [...this.taken.values()].reduce((sum, ids) => sum + ids.length - 1, 0);
  }

  /** Ids that were taken in one life of the node, and sent again in another: it had not recorded the answer. */
  get repeatedAfterKills(): number {
    return [...this.requests.values()].filter(({ taken, lives }) => taken > 0 && lives.size > 1).length;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      // The node was killed while it sent.
      return;
    }
    this.held += 1;
    try {
      await this.#answer(request, Buffer.concat(pieces), response);
    } finally {
      this.held -= 1;
    }
  }

  async #answer({ headers }: IncomingMessage, sent: Buffer, response: ServerResponse): Promise<void> {
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const { requestId, records } = JSON.parse(body.toString()) as {
      requestId: string;
      records: readonly { readonly data: string }[];
    };
    assert.equal(headers['x-amz-firehose-request-id'], requestId);
    const known = this.#know(requestId, createHash('sha256').update(body).digest('hex'));
    const texts = records.map(({ data }) => Buffer.from(data, 'base64').toString());
    const [fate, ms] = this.isCalm ? [1, 0] : [Math.random(), Math.random() * ANSWER_MS_MAX];
    if (texts.some(this.#isPoison)) return void response.writeHead(413).end();
    if (fate < REFUSED) return void response.writeHead(503).end();
    known.taken += 1;
    for (const text of texts) this.taken.set(text, [...(this.taken.get(text) ?? []), requestId]);
    await sleep(ms);
    if (fate < REFUSED + BROKEN) return void response.destroy();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ requestId, timestamp: Date.now() }));
  }

  #know(id: string, digest: string): Request {
    const known = this.requests.get(id) ?? { digest, taken: 0, lives: new Set() };
    this.requests.set(id, known);
    assert.equal(digest, known.digest, `the request ${id} came with other bytes`);
    known.lives.add(this.life);
    return known;
  }
}
