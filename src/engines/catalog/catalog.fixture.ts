import type { Clock } from '../../ports/environment.ts';
import type { Offset } from '../../ports/stream-store.ts';
import type { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { decodeCommand } from './command.ts';
import { CatalogState, type FrozenState } from './model.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

/** A clock on which each look takes `stepMs`: work that asks often enough finds its turn over. */
export function tickingClock(stepMs: number, onTurn: () => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => (now += stepMs),
    timer: () => () => undefined,
    sleep: async () => undefined,
    soon(run) {
      onTurn();
      setImmediate(run);
    },
  };
}

/** The parts of a snapshot, made on a clock. */
export async function partsOf(frozen: FrozenState, clock = tickingClock(0)): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for await (const part of encodeSnapshot(frozen, clock)) parts.push(Buffer.from(part));
  return parts;
}

/** A snapshot's bytes. */
export async function bytesOf(frozen: FrozenState): Promise<Buffer> {
  return Buffer.concat(await partsOf(frozen));
}

/** The state a snapshot holds. */
export async function restored(bytes: Uint8Array): Promise<CatalogState> {
  return (await decodeSnapshot(bytes, tickingClock(0))).state;
}

/** Turns of the loop for what works beside the fold. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => void setImmediate(resolve));
}

/** What folding the log on from `state` up to `at` leaves. */
export function foldUpTo(log: MemoryCommandLog, at: Offset, state = new CatalogState()): CatalogState {
  for (const { offset, at: time, bytes } of log.commands()) {
    if (offset >= state.next && offset < at) state.apply(offset, time, decodeCommand(bytes));
  }
  return state;
}

/** The snapshot, as text, of whoever folds the log from its start up to `at`. */
export async function textAt(log: MemoryCommandLog, at: Offset): Promise<string> {
  return (await bytesOf(foldUpTo(log, at).freeze())).toString();
}

/** First offsets behind the markers of a log without copies. */
export function markersIn(log: MemoryCommandLog): Offset[] {
  const marked = log.commands().filter(({ bytes }) => decodeCommand(bytes).marker !== undefined);
  return marked.map(({ offset }) => offset + 1n);
}

/** Waits until each marker has its snapshot. */
export async function settled(log: MemoryCommandLog): Promise<void> {
  for (let left = 1000; log.snapshots.length < markersIn(log).length; left -= 1) {
    if (left === 0) throw new Error('a marker has no snapshot');
    await turns(1);
  }
}
