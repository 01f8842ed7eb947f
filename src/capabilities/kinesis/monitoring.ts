import type { StreamInfo } from '../../ports/records.ts';
import type { KinesisState } from './model.ts';
import { refuseBusy } from './resharding.ts';
import { changeStream, packSettings, settingsOf } from './settings.ts';
import { shardLevelMetrics } from './shapes.ts';

/** All metrics by their own names. */
const EACH: readonly string[] = shardLevelMetrics.filter((name) => name !== 'ALL');

/**
 * Notes which shard level metrics are wanted and answers as AWS does. The flags change nothing else: `/metrics` tells
 * what there is.
 */
export async function changeMonitoring(
  state: KinesisState,
  stream: StreamInfo,
  names: readonly string[],
  isOn: boolean,
): Promise<Record<string, unknown>> {
  refuseBusy(state, stream);
  const named = new Set(names.includes('ALL') ? EACH : names);
  let before: readonly string[] = [];
  const after = await changeStream(state, stream, (_, kept) => {
    before = kept.shardLevelMetrics ?? [];
    const wanted = EACH.filter((name) => (named.has(name) ? isOn : before.includes(name)));
    return packSettings({ ...kept, shardLevelMetrics: wanted.length === 0 ? undefined : wanted });
  });
  return {
    StreamName: stream.name,
    CurrentShardLevelMetrics: before,
    DesiredShardLevelMetrics: settingsOf(after).shardLevelMetrics ?? [],
    StreamARN: stream.arn,
  };
}
