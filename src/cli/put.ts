import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';

const BATCH = 500;
const BATCH_BYTES = 4 * 1024 * 1024;

interface Flags {
  readonly api?: string;
  readonly partitionKey?: string;
  readonly file?: string;
  readonly json?: true;
}

interface Placed {
  readonly ShardId?: string;
  readonly SequenceNumber?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

/** `put STREAM [DATA]`: one record, or one for each line of stdin. */
export function declarePut(program: Command, context: CliContext): void {
  program
    .command('put')
    .description('put a record into a stream; without DATA, each line of stdin is one')
    .argument('<stream>')
    .argument('[data]', 'the record')
    .option('--partition-key <key>', 'partition key; a new one for each record when absent')
    .option('--file <path>', 'the record is the content of a file')
    .option('--json', 'print each position as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (stream: string, data: string | undefined, flags: Flags) => {
      if (data !== undefined && flags.file !== undefined) {
        throw new CliError('give DATA or --file, not both', exitCodes.usage);
      }
      const put = new Putter(context, stream, flags);
      if (flags.file !== undefined) await put.all([await context.readFile(flags.file)]);
      else if (data !== undefined) await put.all([Buffer.from(data)]);
      else await put.lines();
    });
}

class Putter {
  readonly #context: CliContext;
  readonly #client: ApiClient;
  readonly #stream: string;
  readonly #flags: Flags;

  constructor(context: CliContext, stream: string, flags: Flags) {
    this.#context = context;
    this.#client = new ApiClient(context, flags.api);
    this.#stream = stream;
    this.#flags = flags;
  }

  async lines(): Promise<void> {
    if (this.#context.stdin.isTTY === true)
      this.#context.err('reading records from stdin, one a line; end with Ctrl-D\n');
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of untilAborted(this.#context.stdin, this.#context.interrupted)) {
      const lines = splitLines(Buffer.concat([rest, chunk as Buffer]));
      rest = lines.rest;
      await this.#batches(lines.whole);
    }
    await this.#batches([rest]);
  }

  async all(records: readonly Uint8Array[]): Promise<void> {
    const Records = records.map((data) => ({
      Data: Buffer.from(data).toString('base64'),
      PartitionKey: this.#flags.partitionKey ?? this.#context.uuid(),
    }));
    const answer = await this.#client.aws('Kinesis_20131202.PutRecords', { StreamName: this.#stream, Records });
    for (const placed of (answer as { Records: readonly Placed[] }).Records) this.#print(placed);
  }

  async #batches(records: readonly Uint8Array[]): Promise<void> {
    let batch: Uint8Array[] = [];
    let bytes = 0;
    for (const record of records.filter(({ length }) => length > 0)) {
      if (batch.length === BATCH || (batch.length > 0 && bytes + record.length > BATCH_BYTES)) {
        await this.all(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(record);
      bytes += record.length;
    }
    if (batch.length > 0) await this.all(batch);
  }

  #print(placed: Placed): void {
    if (placed.ErrorCode !== undefined) throw new CliError(`${placed.ErrorCode}: ${placed.ErrorMessage}`);
    const { ShardId, SequenceNumber } = placed;
    const text =
      this.#flags.json === true ? JSON.stringify({ ShardId, SequenceNumber }) : `${ShardId} ${SequenceNumber}`;
    this.#context.out(`${text}\n`);
  }
}

/** What comes in until Ctrl-C, which must also end a wait for the next piece. */
async function* untilAborted(chunks: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown> {
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new CliError('interrupted'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await Promise.race([iterator.next(), aborted]);
    if (done === true) return;
    yield value;
  }
}

/** Lines without their ends, and what stands after the last end. */
function splitLines(bytes: Buffer): { readonly whole: readonly Buffer[]; readonly rest: Buffer } {
  const whole: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    whole.push(bytes.subarray(start, bytes[end - 1] === 13 && end > start ? end - 1 : end));
    start = end + 1;
  }
  return { whole, rest: Buffer.from(bytes.subarray(start)) };
}
