import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import type { Outcome } from './outcome.ts';
import type { ClientAction } from './plan.ts';
import type { ListedShard } from './shard-tree.ts';
import type { StreamModel } from './stream-model.ts';

type Split = Extract<ClientAction, { do: 'split' }>;
type Merge = Extract<ClientAction, { do: 'merge' }>;
type Count = Extract<ClientAction, { do: 'count' }>;
type Retain = Extract<ClientAction, { do: 'retain' }>;
type Create = Extract<ClientAction, { do: 'create' }>;

const HOUR_MS = 3_600_000;
/** A reshard that nothing disturbs is over by then, in virtual ms; how often that is looked at. */
const RESHARD_MS_MAX = 30_000;
const LOOK_MS = 5;

/** Splits one of the open shards somewhere in its range. */
export async function split(life: Life, step: Split): Promise<void> {
  await reshard(life, step, 'a shard is split', async (open) => {
    const shard = open[Math.floor(step.shard * open.length)];
    if (shard === undefined) return undefined;
    const { StartingHashKey, EndingHashKey } = shard.HashKeyRange;
    const [start, end] = [BigInt(StartingHashKey), BigInt(EndingHashKey)];
    const NewStartingHashKey = (start + ((end - start) * BigInt(Math.floor(step.at * 1000))) / 1000n).toString();
    return await life.kinesis('SplitShard', {
      StreamName: step.stream,
      ShardToSplit: shard.ShardId,
      NewStartingHashKey,
    });
  });
}

/** Merges one of the open shards with its neighbour. */
export async function merge(life: Life, step: Merge): Promise<void> {
  await reshard(life, step, 'two shards are merged', async (open) => {
    const at = Math.floor(step.shard * (open.length - 1));
    const [one, other] = [open[at], open[at + 1]];
    if (one === undefined || other === undefined) return undefined;
    const pair = { ShardToMerge: one.ShardId, AdjacentShardToMerge: other.ShardId };
    return await life.kinesis('MergeShards', { StreamName: step.stream, ...pair });
  });
}

/** Splits and merges until there are so many. */
export async function count(life: Life, step: Count): Promise<void> {
  const input = { StreamName: step.stream, TargetShardCount: step.shards, ScalingType: 'UNIFORM_SCALING' };
  await reshard(life, step, 'the shards are counted anew', async () => await life.kinesis('UpdateShardCount', input));
}

/** Whatever the answer: the shards own every hash key once, and once it came, parents take nothing more. */
async function reshard(
  life: Life,
  { stream }: Split | Merge | Count,
  done: string,
  change: (open: readonly ListedShard[]) => Promise<Outcome | undefined>,
): Promise<void> {
  const model = life.oracle.stream(stream);
  if (model === undefined || model.isDeleted) return;
  const shards = await life.shards(stream, model);
  const open = (shards ?? []).filter(
    ({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined,
  );
  open.sort((one, other) =>
    BigInt(one.HashKeyRange.StartingHashKey) < BigInt(other.HashKeyRange.StartingHashKey) ? -1 : 1,
  );
  const outcome = await change(open);
  if (outcome?.kind === 'done') life.simulation.tally.note(done);
  if (!model.isDeleted) await life.shards(stream, model);
}

/** Keeps records longer or shorter. */
export async function retain(life: Life, { stream, hours }: Retain): Promise<void> {
  const model = life.oracle.stream(stream);
  if (model === undefined || model.isDeleted) return;
  const known = await describe(life, stream);
  if (known === undefined || known.hours === hours || model.isDeleted) return;
  model.retention.mayBecome(life.now, hours * HOUR_MS);
  const action = hours > known.hours ? 'Increase' : 'Decrease';
  const input = { StreamName: stream, RetentionPeriodHours: hours };
  const outcome = await life.kinesis(`${action}StreamRetentionPeriod`, input);
  if (outcome.kind === 'done') model.retention.is(life.now, hours * HOUR_MS);
  if (outcome.kind === 'refused') model.retention.is(life.now, known.hours * HOUR_MS);
}

/** Creates `side`. */
export async function create(life: Life, { shards }: Create): Promise<void> {
  const { oracle } = life;
  if (oracle.side.presence !== 'absent') return;
  oracle.createsSide(life.now);
  const input = { StreamName: 'side', ShardCount: shards, MaxRecordSizeInKiB: 10_240 };
  const outcome = await life.kinesis('CreateStream', input);
  if (outcome.kind === 'done') oracle.side = { ...oracle.side, presence: 'there' };
  promised(outcome.kind !== 'refused', `a stream that is not there could not be made: ${JSON.stringify(outcome)}`);
}

/** Deletes `side`: nothing of it is left when the answer comes. */
export async function remove(life: Life): Promise<void> {
  const { oracle } = life;
  const { model, presence } = oracle.side;
  if (presence !== 'there' || model === undefined) return;
  model.isDeleted = true;
  oracle.side = { model, presence: 'unsure' };
  const outcome = await life.kinesis('DeleteStream', { StreamName: 'side' });
  promised(outcome.kind !== 'refused', `a stream could not be deleted: ${JSON.stringify(outcome)}`);
  if (outcome.kind !== 'done') return;
  oracle.side = { model: undefined, presence: 'absent' };
  promised((await describe(life, 'side')) === undefined, 'a deleted stream is still described');
}

/** Finds out, at the start of a life, what became of changes that nobody got an answer for. */
export async function settleStreams(life: Life): Promise<void> {
  const { oracle } = life;
  const main = await describe(life, 'main');
  if (main !== undefined) learnRetention(life, oracle.main, main.hours);
  const side = await life.kinesis('DescribeStreamSummary', { StreamName: 'side' });
  if (side.kind === 'unknown') return;
  const isThere = side.kind === 'done';
  const { presence, model } = oracle.side;
  promised(presence === 'unsure' || isThere === (presence === 'there'), `side is ${presence}, and ${side.kind}`);
  oracle.side = isThere ? { model, presence: 'there' } : { model: undefined, presence: 'absent' };
  if (isThere && model !== undefined) learnRetention(life, model, summaryOf(side.answer).hours);
}

function learnRetention(life: Life, model: StreamModel, hours: number): void {
  promised(model.retention.canBe(hours * HOUR_MS), `${model.name} keeps records for ${hours} hours`);
  model.retention.is(life.now, hours * HOUR_MS);
}

interface Summary {
  readonly hours: number;
  readonly status: string;
  readonly openShards: number;
}

/** What a stream says of itself; undefined when it is not there or did not answer. */
export async function describe(life: Life, stream: string): Promise<Summary | undefined> {
  const outcome = await life.kinesis('DescribeStreamSummary', { StreamName: stream });
  return outcome.kind === 'done' ? summaryOf(outcome.answer) : undefined;
}

/** The stream once no reshard of it is under way any more, or what it still says after a long time. */
export async function settled(life: Life, stream: string): Promise<Summary | undefined> {
  const until = life.now + RESHARD_MS_MAX;
  for (;;) {
    const summary = await describe(life, stream);
    if (summary?.status !== 'UPDATING' || life.now > until) return summary;
    await life.simulation.environment.clock.sleep(LOOK_MS);
  }
}

function summaryOf(answer: unknown): Summary {
  const { StreamDescriptionSummary: summary } = answer as {
    StreamDescriptionSummary: { StreamStatus: string; OpenShardCount: number; RetentionPeriodHours: number };
  };
  return {
    hours: summary.RetentionPeriodHours,
    status: summary.StreamStatus,
    openShards: summary.OpenShardCount,
  };
}
