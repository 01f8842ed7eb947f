import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutsideWorld } from '../../testing/node-bench.ts';
import { Bench, toBucket } from './harness.fixture.ts';

type File = Record<string, unknown>;
const file = (seconds: number): File => ({ deliveries: { d: toBucket('archive', seconds) } });

class Changes {
  readonly bench: Bench;

  constructor(outside: OutsideWorld = {}) {
    this.bench = new Bench(1, outside);
  }

  async open(sections: File): Promise<this> {
    await this.bench.open(sections);
    return this;
  }

  /** Interval and version. */
  async now(): Promise<string> {
    const { DeliveryStreamDescription: all } = await this.bench.call('DescribeDeliveryStream', {
      DeliveryStreamName: 'd',
    });
    const { BufferingHints } = all.Destinations[0].ExtendedS3DestinationDescription;
    return `${BufferingHints.IntervalInSeconds} s, version ${all.VersionId}`;
  }

  async byApi(version: number, IntervalInSeconds: number): Promise<void> {
    await this.update(version, {
      ExtendedS3DestinationUpdate: { BufferingHints: { SizeInMBs: 1, IntervalInSeconds } },
    });
  }

  async update(version: number, destination: object): Promise<void> {
    await this.bench.call('UpdateDestination', {
      DeliveryStreamName: 'd',
      CurrentDeliveryStreamVersionId: String(version),
      DestinationId: 'destinationId-000000000001',
      ...destination,
    });
  }

  /** Members of the description that a table looks at. */
  async members(kind: string, ...names: readonly string[]): Promise<readonly unknown[]> {
    const { DeliveryStreamDescription: all } = await this.bench.call('DescribeDeliveryStream', {
      DeliveryStreamName: 'd',
    });
    return names.map((name) => all.Destinations[0][`${kind}DestinationDescription`][name]);
  }

  /** What the log says of drift. */
  async byFile(sections: File): Promise<readonly unknown[]> {
    const from = this.bench.simulation.logged.length;
    await this.bench.simulation.drive(this.bench.node.reload(sections));
    const warned = this.bench.simulation.logged.slice(from).filter(({ level }) => level === 'warn');
    return warned.map(({ fields }) => fields['hint']);
  }
}

test('what the API changed after the file holds until the file says something else', async () => {
  const changes = await new Changes().open(file(60));
  await changes.byApi(1, 90);
  const drift = [
    'BufferingHints.IntervalInSeconds: as the API made it, which holds until the file says something else of it',
  ];
  assert.deepEqual(await changes.byFile(file(60)), drift);
  changes.bench.simulation.crash();
  changes.bench.simulation.restart();
  await changes.open(file(60));
  assert.equal(await changes.now(), '90 s, version 2', 'also over a restart');
  assert.deepEqual(await changes.byFile(file(120)), []);
  assert.equal(await changes.now(), '120 s, version 3', 'the file spoke last');
  assert.deepEqual(await changes.byFile(file(60)), []);
  assert.equal(await changes.now(), '60 s, version 4', 'what the API said is forgotten');
});

test('once both say the same, the file’s next word holds, whatever it was before', async () => {
  const changes = await new Changes().open(file(60));
  await changes.byApi(1, 90);
  assert.deepEqual(await changes.byFile(file(90)), []);
  assert.equal(await changes.now(), '90 s, version 2');
  assert.deepEqual(await changes.byFile(file(60)), []);
  assert.equal(await changes.now(), '60 s, version 3');
});

test('a file that begins to name what the API made has the last word of it', async () => {
  const changes = await new Changes().open({});
  await changes.bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    ...toBucket('arn:aws:s3:::archive', 30),
  });
  await changes.byApi(1, 90);
  assert.deepEqual(await changes.byFile(file(60)), []);
  assert.equal(await changes.now(), '60 s, version 3');
});

test('tags and encryption are the API’s, and stay when the file changes the destination', async () => {
  const changes = await new Changes().open(file(60));
  await changes.bench.call('TagDeliveryStream', { DeliveryStreamName: 'd', Tags: [{ Key: 'k', Value: 'v' }] });
  await changes.bench.call('StartDeliveryStreamEncryption', { DeliveryStreamName: 'd' });
  assert.deepEqual(await changes.byFile(file(90)), []);
  const { Tags } = await changes.bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'd' });
  assert.deepEqual(Tags, [{ Key: 'k', Value: 'v' }]);
  assert.equal(await changes.now(), '90 s, version 2');
});

const HOLDS = 'as the API made it, which holds until the file says something else of it';

test('a file that says something else of one member leaves alone what it says nothing new of', async () => {
  const named = (more: object): File => ({
    deliveries: { d: s3File({ Prefix: 'a/', FileExtension: '.json', ...more }) },
  });
  const changes = await new Changes().open(named({}));
  const look = async (): Promise<unknown> =>
    await changes.members('ExtendedS3', 'Prefix', 'CompressionFormat', 'FileExtension', 'CustomTimeZone');
  await changes.update(1, { ExtendedS3DestinationUpdate: { CompressionFormat: 'GZIP', FileExtension: '.log' } });
  assert.deepEqual(await changes.byFile(named({ Prefix: 'b/' })), [`CompressionFormat, FileExtension: ${HOLDS}`]);
  assert.deepEqual(await look(), ['b/', 'GZIP', '.log', undefined]);
  changes.bench.simulation.crash();
  changes.bench.simulation.restart();
  await changes.open(named({ Prefix: 'b/' }));
  assert.deepEqual(await look(), ['b/', 'GZIP', '.log', undefined], 'also over a restart');
  assert.deepEqual(await changes.byFile(named({ Prefix: 'b/', CompressionFormat: 'ZIP' })), [
    `FileExtension: ${HOLDS}`,
  ]);
  assert.deepEqual(await look(), ['b/', 'ZIP', '.log', undefined]);
  assert.deepEqual(await changes.byFile(named({ FileExtension: undefined })), [`FileExtension: ${HOLDS}`]);
  assert.deepEqual(
    await look(),
    ['a/', 'UNCOMPRESSED', '.log', undefined],
    'what it names no more is the default again',
  );
  assert.deepEqual(await changes.byFile(named({ FileExtension: '.x' })), []);
  assert.deepEqual(await look(), ['a/', 'UNCOMPRESSED', '.x', undefined]);
});

function s3File(options: object): object {
  const { ExtendedS3DestinationConfiguration: bucket } = toBucket();
  const said = Object.entries({ ...bucket, ...options }).filter(([, value]) => value !== undefined);
  return { ExtendedS3DestinationConfiguration: Object.fromEntries(said) };
}

test('a file that begins to name what the API made leaves what it does not name', async () => {
  const changes = await new Changes().open({});
  await changes.bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    ...s3File({ CompressionFormat: 'GZIP', Prefix: 'api/' }),
  });
  assert.deepEqual(await changes.byFile({ deliveries: { d: s3File({ Prefix: 'file/' }) } }), [
    `CompressionFormat: ${HOLDS}`,
  ]);
  assert.deepEqual(await changes.members('ExtendedS3', 'Prefix', 'CompressionFormat'), ['file/', 'GZIP']);
  assert.deepEqual(await changes.byFile({}), []);
  await changes.update(2, { ExtendedS3DestinationUpdate: { Prefix: 'again/' } });
  const named = { deliveries: { d: s3File({ Prefix: 'file/' }) } };
  assert.deepEqual(await changes.byFile(named), [`CompressionFormat: ${HOLDS}`]);
  assert.deepEqual(await changes.members('ExtendedS3', 'Prefix'), ['file/'], 'named again, it has the last word');
});

test('where what the API said does not go with what the file says, the file holds, and the log tells', async () => {
  const both = { CompressionFormat: 'GZIP', FileExtension: '.x' };
  const changes = await new Changes().open({ deliveries: { d: s3File({ Prefix: 'a/', ...both }) } });
  await changes.update(1, { ExtendedS3DestinationUpdate: { Prefix: '!{timestamp:yyyy}/', ErrorOutputPrefix: 'e/' } });
  const [hint] = await changes.byFile({ deliveries: { d: s3File({ Prefix: 'a/', ErrorOutputPrefix: '', ...both }) } });
  assert.match(
    String(hint),
    /^Prefix: what UpdateDestination said does not go with the file, and is gone: Ths supplied/,
  );
  assert.deepEqual(await changes.members('ExtendedS3', 'Prefix', 'ErrorOutputPrefix'), ['a/', '']);
});

function endpointFile(EndpointConfiguration: object): File {
  const S3Configuration = { BucketARN: 'failed' };
  return { deliveries: { d: { HttpEndpointDestinationConfiguration: { EndpointConfiguration, S3Configuration } } } };
}

test('no key goes to a server that it was not said with, whoever changed which', async () => {
  const seen: string[] = [];
  const changes = new Changes({
    servers: ({ url, headers }) => {
      seen.push(`${new URL(url).host} ${headers['x-amz-firehose-access-key'] ?? 'none'}`);
      return { status: 500 };
    },
  });
  const first = { Url: 'https://a.example/', AccessKey: 'file-a' };
  await changes.open(endpointFile(first));
  const toB = { EndpointConfiguration: { Url: 'https://b.example/', AccessKey: 'api-b' } };
  await changes.update(1, { HttpEndpointDestinationUpdate: toB });
  const ask = async (): Promise<void> => {
    await changes.bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: 'eA==' } });
    await changes.bench.simulation.pass(320_000);
  };
  await ask();
  const held = ['EndpointConfiguration.AccessKey', 'EndpointConfiguration.Url'].join(', ');
  assert.deepEqual(await changes.byFile(endpointFile(first)), [`${held}: ${HOLDS}`]);
  await ask();
  assert.deepEqual(await changes.byFile(endpointFile({ ...first, AccessKey: 'file-a2' })), []);
  await ask();
  await changes.update(3, {
    HttpEndpointDestinationUpdate: { EndpointConfiguration: { Url: 'https://a.example/', AccessKey: 'api-a' } },
  });
  await ask();
  assert.deepEqual(await changes.byFile(endpointFile({ Url: 'https://c.example/' })), []);
  await ask();
  assert.deepEqual([...new Set(seen)], ['b.example api-b', 'a.example file-a2', 'a.example api-a', 'c.example none']);
});

test('a member within a structure that the API changed stays while the file changes its neighbour', async () => {
  const endpoint = (more: object): File => endpointFile({ Url: 'https://a.example/', AccessKey: 'file', ...more });
  const changes = await new Changes().open(endpoint({}));
  const rotated = { Url: 'https://a.example/', AccessKey: 'rotated' };
  await changes.update(1, {
    HttpEndpointDestinationUpdate: { EndpointConfiguration: rotated, S3Update: { Prefix: 'p/' } },
  });
  assert.deepEqual(await changes.byFile(endpoint({ Name: 'collector' })), [
    `EndpointConfiguration.AccessKey, S3Configuration.Prefix: ${HOLDS}`,
  ]);
  const [EndpointConfiguration, S3] = await changes.members(
    'HttpEndpoint',
    'EndpointConfiguration',
    'S3DestinationDescription',
  );
  assert.deepEqual(EndpointConfiguration, { Url: 'https://a.example/', Name: 'collector' });
  assert.equal((S3 as { Prefix: string }).Prefix, 'p/');
});

test('a cluster that the API moved to its domain stays there until the file names another', async () => {
  const cluster = (more: object): File => ({
    deliveries: {
      d: {
        AmazonopensearchserviceDestinationConfiguration: {
          IndexName: 'logs',
          S3Configuration: { BucketARN: 'failed' },
          ...more,
        },
      },
    },
  });
  const [one, other] = [{ ClusterEndpoint: 'https://127.0.0.1:1' }, { ClusterEndpoint: 'https://127.0.0.1:2' }];
  const DomainARN = 'arn:aws:es:us-east-1:000000000000:domain/logs';
  const changes = await new Changes().open(cluster(one));
  await changes.update(1, { AmazonopensearchserviceDestinationUpdate: { DomainARN } });
  assert.deepEqual(await changes.byFile(cluster(one)), [`ClusterEndpoint, DomainARN: ${HOLDS}`]);
  const place = async (): Promise<unknown> =>
    await changes.members('Amazonopensearchservice', 'ClusterEndpoint', 'DomainARN');
  assert.deepEqual(await place(), [undefined, DomainARN]);
  assert.deepEqual(await changes.byFile(cluster(other)), []);
  assert.deepEqual(await place(), [other.ClusterEndpoint, undefined]);
  assert.deepEqual(await changes.byFile(cluster({ DomainARN })), []);
  assert.deepEqual(await place(), [undefined, DomainARN]);
});
