import { Connection } from './client.ts';
import { PutBody } from './records.ts';
import { STREAM } from './stream.ts';
import type { Wire } from './wire.ts';

/** A closed loop: each connection puts its next batch when the answer to the one before has come. */
export interface Load {
  readonly wire: Wire;
  readonly connections: number;
  /** Records in one request; 1: PutRecord. */
  readonly batch: number;
  /** Ids a connection may use; it ends there. */
  readonly idsPerWriter: number;
  /** Says that no further request is to be sent. */
  isOver(): boolean;
  /** Resolves when the next request is to be sent; absent: at once. */
  turn?(): Promise<void>;
  /** Write the time of sending into the records, in microseconds of `performance.now()`. */
  readonly timed?: boolean;
  /** The server is killed in mid-load: a connection that breaks ends its loop instead of failing it. */
  readonly mayBreak?: boolean;
}

/** What one connection stored: ids from its first on without a gap. */
export interface Stored {
  readonly firstId: number;
  readonly count: number;
  readonly latenciesMs: readonly number[];
}

/** Puts on all connections until the load is over; rejects when a record is refused. */
export async function put(port: number, load: Load, firstIds?: readonly number[]): Promise<readonly Stored[]> {
  const writers = Array.from({ length: load.connections }, async (_, index) =>
    writer(port, load, firstIds?.[index] ?? index * load.idsPerWriter, (index + 1) * load.idsPerWriter),
  );
  return await Promise.all(writers);
}

async function writer(port: number, load: Load, firstId: number, endId: number): Promise<Stored> {
  const connection = await Connection.open(port, load.wire.contentType);
  const isSingle = load.batch === 1;
  const body = new PutBody(load.wire, STREAM, load.batch, isSingle);
  const action = isSingle ? 'PutRecord' : 'PutRecords';
  const latenciesMs: number[] = [];
  let count = 0;
  while (!load.isOver() && firstId + count + load.batch <= endId) {
    await load.turn?.();
    const before = performance.now();
    const bytes = body.number(firstId + count, load.timed === true ? Math.round(before * 1000) : 0);
    const answer = await connection.call(action, bytes).catch((error: unknown) => {
      if (load.mayBreak === true) return undefined;
      throw error;
    });
    if (answer === undefined) break;
    latenciesMs.push(performance.now() - before);
    if (answer.status !== 200) throw new Error(`${action}: ${answer.status} ${answer.body.toString('utf8', 0, 300)}`);
    if (!isSingle && !load.wire.isStored(answer.body)) throw new Error('some records were refused');
    count += load.batch;
  }
  connection.close();
  return { firstId, count, latenciesMs };
}
