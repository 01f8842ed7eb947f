import { Long } from 'bson';
import { cursorAnswer } from '../cursors.ts';
import { PeerError } from '../errors.ts';
import { numberOf, wholeNumber } from '../values.ts';
import { collectionOf, type Command } from './command.ts';

/** The next batch of a cursor; a change stream's waits for `maxTimeMS`. */
export const getMore: Command = {
  fields: ['collection', 'batchSize', 'maxTimeMS'],
  async run(call) {
    const { body, database, state, signal } = call;
    const namespace = `${database}.${collectionOf(call, 'collection')}`;
    const id = BigInt(numberOf(body['getMore']) ?? 0n);
    const cursor = state.cursors.get(id, namespace);
    const size = body['batchSize'] === undefined ? Infinity : wholeNumber(body['batchSize'], 'batchSize');
    if (size < 0) throw new PeerError('BadValue', 'batchSize must not be negative');
    const waitMs = body['maxTimeMS'] === undefined ? undefined : wholeNumber(body['maxTimeMS'], 'maxTimeMS');
    const batch = await cursor.next(size === 0 ? Infinity : size, waitMs, signal);
    if (batch.isOver) state.cursors.remove(id);
    return cursorAnswer(batch, 'nextBatch', namespace, id);
  },
};

/** Ends cursors. */
export const killCursors: Command = {
  fields: ['cursors'],
  run({ body, state }) {
    const given: unknown = body['cursors'];
    if (!Array.isArray(given)) throw new PeerError('TypeMismatch', 'cursors must be an array');
    const ids = given.map((id) => BigInt(numberOf(id) ?? 0n));
    const killed = ids.filter((id) => state.cursors.remove(id));
    const longs = (list: readonly bigint[]): Long[] => list.map((id) => Long.fromBigInt(id));
    return {
      cursorsKilled: longs(killed),
      cursorsNotFound: longs(ids.filter((id) => !killed.includes(id))),
      cursorsAlive: [],
      cursorsUnknown: [],
    };
  },
};
