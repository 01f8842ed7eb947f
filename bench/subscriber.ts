import { request, type ClientRequest } from 'node:http';
import { signatureOf } from './client.ts';
import type { Verdict } from './records.ts';

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;

/** One SubscribeToShard over HTTP/1.1 from the oldest record on, every record judged. */
export class Subscriber {
  readonly verdict: Verdict;
  /** Why it is over, if it is. */
  problem: string | undefined;
  private readonly request: ClientRequest;
  private readonly last: Float64Array;
  private readonly onTime: (timeUs: number) => void;
  private chunks: Buffer[] = [];
  private bytes = 0;

  constructor(
    port: number,
    input: { readonly ConsumerARN: string; readonly ShardId: string },
    verdict: Verdict,
    writers: number,
    onTime: (timeUs: number) => void,
  ) {
    this.verdict = verdict;
    this.last = new Float64Array(writers).fill(-1);
    this.onTime = onTime;
    const { contentType } = verdict.wire;
    const body = verdict.wire.input({ ...input, StartingPosition: { Type: 'TRIM_HORIZON' } });
    const { date, authorization } = signatureOf(port, 'SubscribeToShard', contentType, body);
    const headers = {
      'content-type': contentType,
      'x-amz-target': 'Kinesis_20131202.SubscribeToShard',
      'x-amz-date': date,
      authorization,
    };
    this.request = request({ port, host: '127.0.0.1', method: 'POST', headers, agent: false }, (response) => {
      if (response.statusCode !== 200) this.problem = `SubscribeToShard: ${response.statusCode}`;
      response.on('data', (chunk: Buffer) => this.take(chunk));
      response.on('error', (error) => (this.problem ??= error.message));
      response.on('end', () => (this.problem ??= 'the subscription ended'));
    });
    this.request.on('error', (error) => (this.problem ??= error.message));
    this.request.end(body);
  }

  close(): void {
    this.problem = '';
    this.request.destroy();
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    while (this.bytes >= PRELUDE_BYTES) {
      const [first] = this.chunks;
      if (first === undefined || first.length < PRELUDE_BYTES) this.join();
      const length = this.chunks[0]?.readUInt32BE(0) ?? 0;
      if (this.bytes < length) return;
      this.join();
      const [all = Buffer.alloc(0)] = this.chunks;
      const payloadAt = PRELUDE_BYTES + all.readUInt32BE(4);
      this.verdict.take(all.subarray(payloadAt, length - CRC_BYTES), this.last, this.onTime);
      this.chunks = [all.subarray(length)];
      this.bytes = all.length - length;
    }
  }

  private join(): void {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
  }
}
