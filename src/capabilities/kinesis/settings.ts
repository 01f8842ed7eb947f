import type { StreamChange, StreamInfo } from '../../ports/records.ts';
import { onStream } from './address.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** A time in which records are said to be encrypted, in ms: from `from` on, before `to`. */
interface Encrypted {
  readonly from: number;
  readonly to?: number;
}

/** What Kinesis keeps of a stream beside what every stream is. */
export interface KinesisSettings {
  /** Of the stream's encryption; absent: it has none. */
  readonly keyId?: string;
  /** Newest last. */
  readonly encrypted?: readonly Encrypted[];
  /** When encryption was changed within the last day. */
  readonly encryptionChangedAt?: readonly number[];
  /** When the capacity mode was changed within the last day. */
  readonly modeChangedAt?: readonly number[];
  readonly shardLevelMetrics?: readonly string[];
  readonly warmThroughputMiBps?: number;
  /** JSON, as it was given. */
  readonly policy?: string;
  /** The largest record that the stream ever took, where it takes less now. */
  readonly recordBytesHighest?: number;
}

/** What is kept of a stream. */
export function settingsOf({ settings }: Pick<StreamInfo, 'settings'>): KinesisSettings {
  // Only `changeStream` and CreateStream write them.
  return settings;
}

/** The settings in the form in which a stream carries them: what is undefined is gone. */
export function packSettings(settings: { readonly [K in keyof KinesisSettings]: KinesisSettings[K] | undefined }): {
  readonly settings: NonNullable<StreamChange['settings']>;
} {
  const kept = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { settings: Object.fromEntries(kept) as NonNullable<StreamChange['settings']> };
}

/** Changes a stream as it stands; resolves with it as it is then. Rejects as `change` and Records do. */
export async function changeStream(
  state: KinesisState,
  stream: StreamInfo,
  change: (current: StreamInfo, kept: KinesisSettings) => StreamChange,
): Promise<StreamInfo> {
  return await onStream(state, stream, async () => {
    return await state.records.update(stream.name, (current) => change(current, settingsOf(current)));
  });
}

/** Those of the moments that are less than a day old. */
export function withinTheDay({ environment }: KinesisState, moments: readonly number[] = []): readonly number[] {
  const since = environment.clock.now() - kinesisLimits.dayMs;
  return moments.filter((moment) => moment > since);
}

/** Tells the records that are said to be encrypted by their arrival, in ms. */
export function encryptedAt(stream: StreamInfo): (arrival: number) => boolean {
  const { encrypted = [] } = settingsOf(stream);
  return (arrival) => encrypted.some(({ from, to = Infinity }) => arrival >= from && arrival < to);
}

/** The largest record that may stand in the stream: data and key, in bytes. */
export function storedRecordBytesMax(stream: StreamInfo): number {
  return Math.max(stream.maxRecordBytes, settingsOf(stream).recordBytesHighest ?? 0);
}
