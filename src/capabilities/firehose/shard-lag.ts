import type { Environment } from '../../ports/environment.ts';
import { mayPass, type Records, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { Damaged, type Offset } from '../../ports/stream-store.ts';
import { firehoseLimits } from './limits.ts';

/** What lags are looked at with. */
export interface LagDoors {
  readonly records: Records;
  readonly environment: Pick<Environment, 'clock'>;
}

/** Where in a shard goes on who came so far, and how many records wait there. */
export function waitingIn(
  { records }: Pick<LagDoors, 'records'>,
  shard: ShardInfo,
  reached: Offset,
): { readonly from: Offset; readonly count: number } {
  const { start, end } = records.bounds(shard);
  const from = reached > start ? reached : start;
  return { from, count: Math.max(0, Number(end - from)) };
}

/** Age of a shard's record at this place; 0 where there is none, null where it cannot be read. */
export async function lagMs(
  { records, environment }: LagDoors,
  stream: StreamInfo,
  shard: ShardInfo,
  from: Offset,
): Promise<number | null> {
  try {
    const [first] = (await records.read(stream, shard, from, { records: 1, bytes: 1 })).records;
    return first === undefined ? 0 : Math.max(0, environment.clock.now() - first.at);
  } catch (error) {
    if (!mayPass(error) && !(error instanceof Damaged)) throw error;
    return null;
  }
}

/** Age of the oldest record of a stream that was not read, as far as `readTo` says what was; 0: all were. */
export async function behindLatestMs(
  doors: LagDoors,
  stream: StreamInfo,
  readTo: (shard: ShardInfo) => Offset,
): Promise<number> {
  let behind = 0;
  const lagging = stream.shards
    .map((shard) => ({ shard, ...waitingIn(doors, shard, readTo(shard)) }))
    .filter(({ count }) => count > 0);
  for (const { shard, from } of lagging.slice(0, firehoseLimits.shardsShown)) {
    behind = Math.max(behind, (await lagMs(doors, stream, shard, from)) ?? 0);
  }
  return behind;
}
