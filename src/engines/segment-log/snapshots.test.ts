import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Simulation } from '../../environments/simulated/index.ts';
import { flipped } from './log.fixture.ts';
import { Snapshots } from './snapshots.ts';

const FOLDER = '/catalog';

class SnapshotsUnderTest {
  readonly simulation = new Simulation(1);
  readonly snapshots = new Snapshots(this.simulation.environment, FOLDER);

  static async open(): Promise<SnapshotsUnderTest> {
    const under = new SnapshotsUnderTest();
    await under.simulation.drive(under.simulation.environment.files.makeDirectory(FOLDER));
    await under.simulation.drive(under.simulation.environment.files.syncDirectory('/'));
    return under;
  }

  async save(at: bigint): Promise<void> {
    await this.simulation.drive(this.snapshots.save(at, parts(['state', ' at ', String(at)]), covered));
  }

  /** The newest whole one, as text. */
  async loaded(): Promise<string | undefined> {
    const found = await this.simulation.drive(this.snapshots.load());
    return found === undefined ? undefined : `${found.at}: ${Buffer.from(found.bytes).toString()}`;
  }

  async change(at: bigint, change: (bytes: Buffer) => Buffer): Promise<void> {
    const { files } = this.simulation.environment;
    const path = `${FOLDER}/snapshot-${String(at).padStart(20, '0')}.bin`;
    const bytes = change(Buffer.from(await this.simulation.drive(files.readFile(path))));
    const file = await this.simulation.drive(files.open(path, 'write'));
    await this.simulation.drive(file.truncate(bytes.length));
    await this.simulation.drive(file.write(bytes, 0));
    await this.simulation.drive(file.close());
  }
}

const covered = async (): Promise<void> => undefined;

async function* parts(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('the newest of all is loaded, two are kept, none is fine', async () => {
  const under = await SnapshotsUnderTest.open();
  assert.equal(await under.loaded(), undefined);
  for (const at of [5n, 12n, 100n]) await under.save(at);
  assert.equal(await under.loaded(), '100: state at 100');
  assert.deepEqual(await under.simulation.drive(under.snapshots.offsets()), [12n, 100n]);
});

test('a snapshot with any byte wrong, or cut anywhere, is passed over for the one before', async () => {
  const under = await SnapshotsUnderTest.open();
  await under.save(1n);
  await under.save(2n);
  const { length } = Buffer.from('state at 2');
  for (let at = 0; at < 32 + length; at += 1) {
    await under.change(2n, (bytes) => flipped(bytes, at));
    assert.equal(await under.loaded(), '1: state at 1', `byte ${at}`);
    await under.change(2n, (bytes) => flipped(bytes, at));
    assert.equal(await under.loaded(), '2: state at 2');
  }
  await under.change(2n, (bytes) => bytes.subarray(0, -1));
  assert.equal(await under.loaded(), '1: state at 1');
  await under.change(1n, () => Buffer.alloc(0));
  assert.equal(await under.loaded(), undefined);
});

test('one of a newer format is refused rather than passed over', async () => {
  const under = await SnapshotsUnderTest.open();
  await under.save(1n);
  await under.save(2n);
  await under.change(2n, (bytes) => {
    bytes.writeUInt32LE(2, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(32), crc32(bytes.subarray(0, 28))), 28);
    return bytes;
  });
  await assert.rejects(under.loaded(), { code: 'EOTHER' });
});

test('a power cut while one is saved leaves it whole, or the one before', async () => {
  const seen = new Set<string>();
  for (let cut = 1; cut <= 12; cut += 1) {
    const under = await SnapshotsUnderTest.open();
    await under.save(1n);
    under.simulation.crashAfterFileOperations(cut);
    await under.save(2n).catch(() => undefined);
    under.simulation.crash();
    const environment = under.simulation.restart();
    const found = await under.simulation.drive(new Snapshots(environment, FOLDER).load());
    seen.add(String(found?.at));
  }
  assert.deepEqual([...seen].sort(), ['1', '2']);
});

test('what was never finished is cleared away, also by a save of other parts', async () => {
  const under = await SnapshotsUnderTest.open();
  await under.save(1n);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    throw new Error('no more');
  }
  await assert.rejects(under.simulation.drive(under.snapshots.save(2n, failing(), covered)), /no more/);
  under.simulation.failNext('write', 'ENOSPC');
  await assert.rejects(under.save(3n), { code: 'ENOSPC' });
  const { files } = under.simulation.environment;
  assert.ok((await under.simulation.drive(files.list(FOLDER))).includes('snapshot-00000000000000000003.bin.tmp'));
  assert.equal(await under.loaded(), '1: state at 1');
  await under.save(4n);
  assert.deepEqual(await under.simulation.drive(files.list(FOLDER)), [
    'snapshot-00000000000000000001.bin',
    'snapshot-00000000000000000004.bin',
  ]);
});
