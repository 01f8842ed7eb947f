import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../../support/node-process.ts';
import { codeBlocks, documentsMissing } from '../../support/published-code.ts';
import { awsProgram, awsVersion } from '../aws-program.ts';
import { clientEnvironment, runChecks } from '../checks.ts';
import type { Group } from '../run.ts';
import { pythonWith, runProgram } from '../tools.ts';

const BOTO3 = 'boto3==1.44.8';
const TITLE = 'Using MongoDB Realm WebHooks with Amazon Kinesis Data Firehose';
const COMMAND = 'create-delivery-stream';
const CONFIG = 'streams: { realm: {}, events: {} }\ndeliveries: { declared: { from: events, FILE } }\n'.replace(
  'FILE',
  'ExtendedS3DestinationConfiguration: { BucketARN: archive }',
);

type Json = Readonly<Record<string, unknown>>;

/** The published command that makes a delivery stream to an HTTP endpoint; only the endpoint of the service is ours. */
async function publishedCommand(api: string): Promise<number> {
  assert.equal(documentsMissing, false);
  const command = codeBlocks(TITLE, 'bash').find((one) => one.includes(COMMAND)) ?? '';
  const ours = command.replace(/--endpoint-url "[^"]*"/, `--endpoint-url "${api}"`);
  assert.notEqual(ours, command, 'the document has the command');
  const { aws } = await awsProgram();
  const variables = {
    ...(await clientEnvironment(api)),
    AWS_DEFAULT_OUTPUT: 'json',
    PATH: `${dirname(aws)}:${process.env['PATH'] ?? ''}`,
  };
  const run = async (words: string): Promise<Json> =>
    JSON.parse(await runProgram('sh', ['-c', words], { environment: variables })) as Json;
  const made = await run(ours);
  const name = /--delivery-stream-name (\S+)/.exec(command)?.[1] ?? '';
  assert.match(
    String(made['DeliveryStreamARN']),
    new RegExp(`^arn:aws:firehose:us-east-1:\\d{12}:deliverystream/${name}$`),
  );
  const described = await run(`aws firehose describe-delivery-stream --delivery-stream-name ${name}`);
  checkDescription(command, described['DeliveryStreamDescription'] as Json);
  return 2;
}

/** What the command says is described, but for the access key. */
function checkDescription(command: string, description: Json): void {
  assert.equal(description['DeliveryStreamStatus'], 'ACTIVE');
  assert.equal(description['DeliveryStreamType'], 'KinesisStreamAsSource');
  const text = JSON.stringify(description);
  const said = [...command.matchAll(/(?:KinesisStreamARN|RoleARN|BucketARN|Url|Name)=([^,}\s"\\]+)/g)];
  assert.ok(said.length >= 7, command);
  for (const [, value = ''] of said) assert.ok(text.includes(`"${value}"`), `${value} in ${text}`);
  const key = /AccessKey=([^,}\s"]+)/.exec(command)?.[1] ?? '';
  assert.ok(key !== '' && !text.includes(key), 'the access key is not told');
}

async function allActions(api: string): Promise<number> {
  const checks = join('test', 'real', 'firehose-control', 'checks.py');
  return await runChecks(await pythonWith(BOTO3), [checks], await clientEnvironment(api));
}

/** AWS's command line and boto3 as control plane of Firehose. */
export const firehoseControl: Group = {
  name: 'firehose-control',
  async install() {
    if (documentsMissing !== false) throw new Error(documentsMissing);
    return `${await awsVersion()}, ${await runProgram(await pythonWith(BOTO3), ['-c', 'import boto3; print("boto3", boto3.__version__)'])}`;
  },
  async run() {
    const data = temporaryDirectory('firehose-control');
    const open = join(data, 'open.yaml');
    writeFileSync(open, CONFIG);
    let passed = 0;
    try {
      // The second node verifies what the first one takes from anybody.
      for (const config of [open, verifyingConfig(data, CONFIG)]) {
        const node = await startNodeProcess({ config, data: join(data, config === open ? 'open' : 'verifying') });
        try {
          passed += (await allActions(node.api)) + (await publishedCommand(node.api));
        } finally {
          await node.stop();
        }
      }
      return passed;
    } finally {
      removeDirectory(data);
    }
  },
};
