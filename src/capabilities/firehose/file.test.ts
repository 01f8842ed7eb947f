import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from './harness.fixture.ts';

type File = Record<string, unknown>;
const file = (seconds: number): File => ({ deliveries: { d: toBucket('archive', seconds) } });

class Changes {
  readonly bench = new Bench();

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
    await this.bench.call('UpdateDestination', {
      DeliveryStreamName: 'd',
      CurrentDeliveryStreamVersionId: String(version),
      DestinationId: 'destinationId-000000000001',
      ExtendedS3DestinationUpdate: { BufferingHints: { SizeInMBs: 1, IntervalInSeconds } },
    });
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
  const drift = ['UpdateDestination made it version 2, which holds until the file says something else of it'];
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
