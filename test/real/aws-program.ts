import { dirname, join } from 'node:path';
import type { Read } from '../support/kinesis.ts';
import { pythonWith, runProgram } from './tools.ts';

const AWS_CLI = 'awscli==1.45.11';

/** AWS's command line from PyPI, with the Python that runs it; both stand in one folder. */
export async function awsProgram(): Promise<{ readonly python: string; readonly aws: string }> {
  const python = await pythonWith(AWS_CLI);
  return { python, aws: join(dirname(python), 'aws') };
}

/** Installs it; resolves with the line that says its version. */
export async function awsVersion(): Promise<string> {
  const { python, aws } = await awsProgram();
  return await runProgram(python, [aws, '--version']);
}

/** Runs `aws WORDS` against a node; resolves with the JSON that it prints, `{}` when that is nothing. */
export async function runAws(
  api: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<unknown> {
  const { python, aws } = await awsProgram();
  const variables = { ...environment, AWS_DEFAULT_OUTPUT: 'json' };
  const stdout = await runProgram(python, [aws, ...words, '--endpoint-url', api], { environment: variables });
  return stdout === '' ? {} : (JSON.parse(stdout) as unknown);
}

/** What stands in a stream as `aws kinesis get-records` prints it, by shard. */
export async function readWithAws(
  api: string,
  stream: string,
  environment: Readonly<Record<string, string>>,
): Promise<readonly (readonly Read[])[]> {
  const kinesis = async (...words: readonly string[]): Promise<unknown> =>
    await runAws(api, ['kinesis', ...words], environment);
  const shards: Read[][] = [];
  const { Shards } = (await kinesis('list-shards', '--stream-name', stream)) as {
    Shards: readonly { ShardId: string }[];
  };
  for (const { ShardId } of Shards) {
    const place = ['--stream-name', stream, '--shard-id', ShardId, '--shard-iterator-type', 'TRIM_HORIZON'];
    let { ShardIterator } = (await kinesis('get-shard-iterator', ...place)) as { ShardIterator: string };
    const found: Read[] = [];
    for (;;) {
      const page = (await kinesis('get-records', '--shard-iterator', ShardIterator)) as {
        Records: readonly { Data: string; PartitionKey: string; SequenceNumber: string }[];
        NextShardIterator: string;
      };
      if (page.Records.length === 0) break;
      for (const { Data, PartitionKey, SequenceNumber } of page.Records) {
        const data = Buffer.from(Data, 'base64');
        found.push({ key: PartitionKey, data, text: data.toString(), sequenceNumber: SequenceNumber });
      }
      ShardIterator = page.NextShardIterator;
    }
    shards.push(found);
  }
  return shards;
}
