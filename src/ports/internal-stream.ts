import { StreamExists, StreamNotFound, type Records, type StreamInfo, type StreamSpec } from './records.ts';

/** The internal stream of that name, made when it does not exist yet. Rejects as `Records.create` does. */
export async function ensureInternalStream(
  records: Records,
  spec: Pick<StreamSpec, 'name' | 'shardCount' | 'retentionMs' | 'maxRecordBytes'>,
): Promise<StreamInfo> {
  const known = records.describe(spec.name);
  if (known !== undefined) return known;
  try {
    return await records.create({ ...spec, mode: 'PROVISIONED' });
  } catch (error) {
    const made = error instanceof StreamExists ? records.describe(spec.name) : undefined;
    if (made === undefined) throw error;
    return made;
  }
}

/** Deletes the stream with all it holds; one that is not there is fine. Rejects as `Records.delete` does otherwise. */
export async function dropInternalStream(records: Records, name: string): Promise<void> {
  if (records.describe(name) === undefined) return;
  try {
    await records.delete(name);
  } catch (error) {
    if (!(error instanceof StreamNotFound)) throw error;
  }
}
