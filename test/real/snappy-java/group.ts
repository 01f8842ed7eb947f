import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { clockOf } from '../../../src/destinations/s3/local-time.ts';
import { timestampPattern } from '../../../src/destinations/s3/timestamp-pattern.ts';
import { zipArchive } from '../../../src/destinations/s3/zip-archive.ts';
import { simulatedCompute } from '../../../src/environments/simulated/compute.ts';
import { kinesis } from '../../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { isFlushed } from '../deliveries.ts';
import { javaWords } from '../java.ts';
import type { Group } from '../run.ts';
import { mavenJars, runProgram } from '../tools.ts';
import { instants, NO_PATTERNS, PATTERNS, UTC_PATTERNS, ZONES } from './patterns.ts';

const SNAPPY = 'org.xerial.snappy:snappy-java:1.1.10.8';
const JUDGE = join('test', 'real', 'snappy-java', 'Judge.java');
const STREAM = 'events';
const FORMATS: Readonly<Record<string, { readonly ending: string }>> = {
  UNCOMPRESSED: { ending: '' },
  GZIP: { ending: '.gz' },
  ZIP: { ending: '.zip' },
  Snappy: { ending: '.snappy' },
  HADOOP_SNAPPY: { ending: '.snappy' },
};
const ZONE = 'Asia/Kolkata';
const INPUTS = 240;
const RECORDS = 800;

async function judge(...words: readonly string[]): Promise<readonly string[]> {
  const java = await javaWords(JUDGE, await mavenJars(SNAPPY), ['-Duser.timezone=UTC', '-Dfile.encoding=UTF-8']);
  const told = (await runProgram('java', [...java, ...words])).split('\n');
  assert.equal(told.pop(), 'ok');
  return told;
}

function bucketOf(format: string): string {
  return `bucket-${format.toLowerCase().replaceAll('_', '-')}`;
}

/** Nothing leaves by itself: each delivery makes one object when it is flushed. */
function config(): string {
  const hints = 'BufferingHints: { SizeInMBs: 128, IntervalInSeconds: 900 }';
  const delivery = (name: string, members: string): string =>
    `  ${name}: { from: ${STREAM}, ExtendedS3DestinationConfiguration: { ${hints}, ${members} } }`;
  const ofFormat = (format: string): string =>
    delivery(format, `BucketARN: ${bucketOf(format)}, CompressionFormat: ${format}`);
  const lines = 'ProcessingConfiguration: { Enabled: true, Processors: [{ Type: AppendDelimiterToRecord }] }';
  const prefix = `Prefix: "!{timestamp:'at='yyyy-MMM-dd'T'HH}/!{firehose:random-string}/"`;
  const errorPrefix = 'ErrorOutputPrefix: "!{firehose:error-output-type}/"';
  const placed = `${prefix}, ${errorPrefix}, CustomTimeZone: ${ZONE}, FileExtension: .jsonl, ${lines}`;
  return [
    `streams: { ${STREAM}: { ShardCount: 1 } }`,
    'deliveries:',
    ...Object.keys(FORMATS).map(ofFormat),
    delivery('placed', `BucketARN: bucket-placed, ${placed}`),
    '',
  ].join('\n');
}

/** Bytes of a kind, from those that shrink to nothing to those that do not shrink, always the same. */
function bytesOf(length: number, kind: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0, size = 0; size < length; index += 1) {
    const digest = createHash('sha256').update(`${kind} ${index}`).digest();
    const text = `{"id":${index},"sha":"${digest.toString('hex')}","name":"millrace","at":${digest.readUInt32LE()}}\n`;
    const kinds = [
      Buffer.from(text),
      digest,
      Buffer.alloc(40, kind),
      Buffer.from(text.slice(0, 20 + (digest[0] ?? 0) / 8)),
    ];
    const part = kinds[kind % kinds.length] as Buffer;
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return Buffer.concat(parts);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Our encoder and snappy-java write the same bytes, in both framings. */
async function checkEncoder(folder: string): Promise<number> {
  mkdirSync(folder);
  const inputs = Array.from({ length: INPUTS }, (_, index) => {
    const length = index < 40 ? index : Math.floor(1.047 ** index * 3);
    return { file: join(folder, String(index)), plain: bytesOf(length, index) };
  });
  for (const { file, plain } of inputs) writeFileSync(file, plain);
  await judge('encode', ...inputs.map(({ file }) => file));
  for (const { file, plain } of inputs) {
    for (const [framing, format] of [
      ['java', 'Snappy'],
      ['hadoop', 'HADOOP_SNAPPY'],
    ] as const) {
      const ours = await whole(simulatedCompute.snappy(once(plain), framing));
      assert.ok(ours.equals(readFileSync(`${file}.${format}`)), `${plain.length} bytes as ${format}`);
    }
  }
  return 1;
}

/** An archive of nothing is Java's byte for byte: there its way to deflate makes no difference. */
async function checkArchive(folder: string): Promise<number> {
  const [file, name, at] = [
    join(folder, 'nothing'),
    'b1946ac9-4932-4d62-8f2a-6e0a1a7f6c11',
    Date.UTC(2026, 1, 3, 4, 5, 6),
  ];
  writeFileSync(file, '');
  await judge('zip', file, name, String(at));
  const ours = await whole(zipArchive(simulatedCompute.gzip(once(Buffer.alloc(0))), { name, at }));
  assert.equal(ours.toString('hex'), readFileSync(`${file}.ZIP`).toString('hex'));
  return 1;
}

async function checkTimes(folder: string): Promise<number> {
  const cases = [
    ...ZONES.flatMap((zone) => PATTERNS.map((pattern) => ({ pattern, zone }))),
    ...[...UTC_PATTERNS, ...NO_PATTERNS].map((pattern) => ({ pattern, zone: 'UTC' })),
  ].flatMap(({ pattern, zone }) => instants().map((at) => ({ pattern, zone, at })));
  const file = join(folder, 'times');
  writeFileSync(file, cases.map(({ pattern, zone, at }) => `${pattern}\t${zone}\t${at}\n`).join(''));
  const theirs = await judge('times', file);
  assert.equal(theirs.length, cases.length);
  const clocks = new Map(ZONES.map((zone) => [zone, clockOf(zone)]));
  cases.forEach(({ pattern, zone, at }, index) => {
    const printed = theirs[index] as string;
    const ours = timestampPattern(pattern, zone);
    const time = clocks.get(zone)?.(at);
    assert.ok(time !== undefined);
    const isNone = printed.startsWith('!');
    assert.equal('fault' in ours, isNone, `${pattern}: ${JSON.stringify(ours)}, Java: ${printed}`);
    if ('print' in ours) assert.equal(ours.print(time), printed, `${pattern} of ${at} in ${zone}`);
  });
  process.stdout.write(`snappy-java: ${cases.length} times printed as by Java\n`);
  return 1;
}

/** Of all sizes up to a megabyte less its key, with nothing in some. */
async function put(api: string): Promise<readonly Buffer[]> {
  const records = Array.from({ length: RECORDS }, (_, index) => {
    return bytesOf(index % 97 === 0 ? 1 : index % 200 === 50 ? 1_000_000 : (index * 7919) % 9000, index);
  });
  for (const [index, data] of records.entries()) {
    const record = { StreamName: STREAM, PartitionKey: String(index), Data: data.toString('base64') };
    await kinesis(api, 'PutRecord', record);
  }
  return records;
}

interface Delivered {
  readonly key: string;
  readonly file: string;
}

/** Flushes a delivery and finds the one object that it made. */
async function deliveredBy(node: NodeProcess, name: string, bucket: string): Promise<Delivered> {
  assert.equal(await isFlushed(node, name), true);
  const root = join(node.data, 'buckets', bucket);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.equal(files.length, 1, `objects of ${name}`);
  const [entry] = files;
  const file = join(entry?.parentPath ?? '', entry?.name ?? '');
  return { key: relative(root, file), file };
}

const AT = String.raw`\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d`;
const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

async function checkFormats(node: NodeProcess, plain: Buffer, folder: string): Promise<number> {
  for (const [format, { ending }] of Object.entries(FORMATS)) {
    const { key, file } = await deliveredBy(node, format, bucketOf(format));
    assert.match(
      key,
      new RegExp(`^\\d{4}/\\d\\d/\\d\\d/\\d\\d/${format}-1-${AT}-${UUID}${ending.replace('.', '\\.')}$`),
    );
    const copy = join(folder, format);
    writeFileSync(copy, readFileSync(file));
    await judge('decode', format, copy);
    assert.ok(readFileSync(`${copy}.plain`).equals(plain), `${format} holds the records`);
    if (format.toUpperCase().includes('SNAPPY')) {
      writeFileSync(join(folder, 'plain'), plain);
      await judge('encode', join(folder, 'plain'));
      assert.ok(readFileSync(copy).equals(readFileSync(join(folder, `plain.${format}`))), `${format} is Java's`);
    }
  }
  return Object.keys(FORMATS).length;
}

async function oldestAt(api: string): Promise<number> {
  const [ShardId, ShardIteratorType] = ['shardId-000000000000', 'TRIM_HORIZON'];
  const wanted = { StreamName: STREAM, ShardId, ShardIteratorType };
  const { ShardIterator } = (await kinesis(api, 'GetShardIterator', wanted)) as { ShardIterator: string };
  const { Records } = (await kinesis(api, 'GetRecords', { ShardIterator, Limit: 1 })) as {
    Records: readonly { ApproximateArrivalTimestamp: number }[];
  };
  return Math.round((Records[0]?.ApproximateArrivalTimestamp ?? 0) * 1000);
}

async function checkPlaced(node: NodeProcess, records: readonly Buffer[], folder: string): Promise<number> {
  const { key, file } = await deliveredBy(node, 'placed', 'bucket-placed');
  const at = await oldestAt(node.api);
  const times = join(folder, 'place');
  writeFileSync(times, `'at='yyyy-MMM-dd'T'HH\t${ZONE}\t${at}\nyyyy-MM-dd-HH-mm-ss\t${ZONE}\t${at}\n`);
  const [prefix = '', suffix = ''] = await judge('times', times);
  assert.match(key, new RegExp(`^${prefix}/[0-9a-f]{11}/placed-1-${suffix}-${UUID}\\.jsonl$`));
  const lines = Buffer.concat(records.flatMap((record) => [record, Buffer.from('\n')]));
  assert.ok(readFileSync(file).equals(lines));
  return 1;
}

async function play(folder: string): Promise<number> {
  let passed = (await checkEncoder(join(folder, 'inputs'))) + (await checkArchive(folder)) + (await checkTimes(folder));
  const file = join(folder, 'millrace.yaml');
  writeFileSync(file, config());
  const node = await startNodeProcess({ config: file, data: join(folder, 'node') });
  try {
    const records = await put(node.api);
    passed += await checkFormats(node, Buffer.concat(records), folder);
    passed += await checkPlaced(node, records, folder);
    return passed;
  } finally {
    await node.stop();
  }
}

/**
 * Java reads delivered objects: snappy-java those of both Snappy formats, which it also writes to the same bytes, and
 * the platform GZIP and ZIP; and it prints times as prefixes do.
 */
export const snappyJava: Group = {
  name: 'snappy-java',
  async install() {
    await javaWords(JUDGE, await mavenJars(SNAPPY));
    return 'snappy-java 1.1.10.8';
  },
  async run() {
    const folder = temporaryDirectory('snappy-java');
    try {
      return await play(folder);
    } finally {
      removeDirectory(folder);
    }
  },
};
