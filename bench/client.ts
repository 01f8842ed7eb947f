import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One answer: status and body; the body is a slice that the next answer may overwrite. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';

/** A keep-alive HTTP/1.1 connection that sends one request at a time, with as little work of its own as possible. */
export class Connection {
  private readonly socket: Socket;
  private readonly port: number;
  private chunks: Buffer[] = [];
  private bytes = 0;
  private wanted = -1;
  private status = 0;
  private resolve: ((answer: Answer) => void) | undefined;
  private reject: ((error: Error) => void) | undefined;

  private constructor(socket: Socket, port: number) {
    this.socket = socket;
    this.port = port;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.reject?.(error));
    socket.on('close', () => this.reject?.(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket, port);
  }

  /** Sends one AWS JSON request and resolves with its answer. */
  async call(action: string, body: Buffer): Promise<Answer> {
    const head =
      `POST / HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: application/x-amz-json-1.1\r\n` +
      `x-amz-target: Kinesis_20131202.${action}\r\nx-amz-date: 20260101T000000Z\r\nauthorization: ${AUTHORIZATION}\r\n` +
      `content-length: ${body.length}\r\n\r\n`;
    return await new Promise<Answer>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.socket.cork();
      this.socket.write(head, 'latin1');
      this.socket.write(body);
      this.socket.uncork();
    });
  }

  close(): void {
    this.reject = undefined;
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.wanted < 0 && !this.readHead()) return;
    if (this.bytes < this.wanted) return;
    const body = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.bytes);
    this.chunks = [];
    this.bytes = 0;
    this.wanted = -1;
    this.resolve?.({ status: this.status, body });
  }

  /** Reads status and length once the head is whole; the bytes after it stay. */
  private readHead(): boolean {
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.bytes);
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) {
      this.chunks = [all];
      return false;
    }
    const head = all.toString('latin1', 0, end);
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without content-length: ${head}`);
    this.wanted = Number(length);
    const rest = all.subarray(end + 4);
    this.chunks = [rest];
    this.bytes = rest.length;
    return true;
  }
}
