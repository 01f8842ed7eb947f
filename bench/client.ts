import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { signRequest } from '../src/wire/sigv4/sign.ts';

/** One answer: status and body; the body is a slice that the next answer overwrites. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** A server took a request and gave no byte of an answer within ten seconds. */
export class Hangs extends Error {}

/** What signs when requests are signed. */
export const BENCH_PAIR = { accessKeyId: 'bench', secretAccessKey: 'the secret of the bench' };

/** Whether requests are truly signed, and not only in their shape. */
export const signing = { isOn: false };

/** A signature in shape. */
const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';
const UNSIGNED = { date: '20260101T000000Z', authorization: AUTHORIZATION };
/** What signs an AWS JSON request: truly while `signing.isOn`, else in shape. */
export function signatureOf(
  port: number,
  action: string,
  contentType: string,
  body: string | Uint8Array,
): { readonly date: string; readonly authorization: string } {
  if (!signing.isOn) return UNSIGNED;
  const headers = { 'content-type': contentType, 'x-amz-target': `Kinesis_20131202.${action}` };
  const url = new URL(`http://127.0.0.1:${port}/`);
  const scope = { ...BENCH_PAIR, region: 'us-east-1', service: 'kinesis', now: Date.now() };
  const signed = signRequest({ method: 'POST', url, headers, body }, scope);
  return { date: signed['x-amz-date'] ?? '', authorization: signed['authorization'] ?? '' };
}

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const ANSWER_MS_MAX = 10_000;
const FIRST_BYTES = 256 * 1024;
/** Room behind the body, so that the buffer handed to the socket is never empty. */
const SPARE_BYTES = 64 * 1024;

/**
 * A keep-alive HTTP/1.1 connection that sends one request at a time. The socket reads straight into one buffer, which
 * becomes the body: nothing is allocated or copied for an answer.
 */
export class Connection {
  private readonly socket: Socket;
  private readonly port: number;
  private readonly contentType: string;
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private end = 0;
  private bodyAt = -1;
  private bodyEnd = 0;
  private status = 0;
  private resolve: ((answer: Answer) => void) | undefined;
  private reject: ((error: Error) => void) | undefined;

  private constructor(port: number, contentType: string, answerMsMax: number) {
    this.port = port;
    this.contentType = contentType;
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: () => this.buffer.subarray(this.end),
        callback: (count) => {
          this.take(count);
          return true;
        },
      },
    });
    this.socket.setTimeout(answerMsMax, () => this.fail(new Hangs(`no answer within ${answerMsMax} ms`)));
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the connection is closed')));
  }

  /** A call fails with Hangs when nothing comes for `answerMsMax`. */
  static async open(
    port: number,
    contentType = 'application/x-amz-json-1.1',
    answerMsMax = ANSWER_MS_MAX,
  ): Promise<Connection> {
    const connection = new Connection(port, contentType, answerMsMax);
    await once(connection.socket, 'connect');
    return connection;
  }

  /** Calls an action of Kinesis. */
  async call(action: string, body: Buffer): Promise<Answer> {
    const { date, authorization } = signatureOf(this.port, action, this.contentType, body);
    const fields = `x-amz-target: Kinesis_20131202.${action}\r\nx-amz-date: ${date}\r\nauthorization: ${authorization}\r\n`;
    return await this.post('/', fields, body);
  }

  /**
   * Sends one request and resolves with its answer; rejects when the connection ends first. `fields`: header lines beside
   * those that every request has, each with its end.
   */
  async post(path: string, fields: string, body: Buffer): Promise<Answer> {
    const head =
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: ${this.contentType}\r\n` +
      `${fields}content-length: ${body.length}\r\n\r\n`;
    return await new Promise<Answer>((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(new Error('the connection is closed'));
        return;
      }
      this.resolve = resolve;
      this.reject = reject;
      this.socket.cork();
      this.socket.write(head, 'latin1');
      this.socket.write(body);
      this.socket.uncork();
    });
  }

  /** Ends the connection; a call under way rejects. */
  close(): void {
    this.socket.destroy();
    this.fail(new Error('the connection is closed'));
  }

  private fail(error: Error): void {
    const { reject } = this;
    this.resolve = undefined;
    this.reject = undefined;
    reject?.(error);
  }

  private take(count: number): void {
    this.end += count;
    if (this.bodyAt < 0 && !this.readHead()) return;
    if (this.end < this.bodyEnd) return;
    const { resolve } = this;
    const body = this.buffer.subarray(this.bodyAt, this.bodyEnd);
    this.resolve = undefined;
    this.reject = undefined;
    this.end = 0;
    this.bodyAt = -1;
    resolve?.({ status: this.status, body });
  }

  /** Reads status and length once the head is whole, and makes room for the body. */
  private readHead(): boolean {
    const at = this.buffer.subarray(0, this.end).indexOf(HEAD_END);
    if (at < 0) return false;
    const head = this.buffer.toString('latin1', 0, at);
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.close();
      return false;
    }
    this.bodyAt = at + HEAD_END.length;
    this.bodyEnd = this.bodyAt + Number(length);
    if (this.bodyEnd + SPARE_BYTES > this.buffer.length) this.grow(this.bodyEnd + SPARE_BYTES);
    return true;
  }

  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes + (bytes >> 2));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}
