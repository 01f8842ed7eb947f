import { firehoseEvents } from '../events.ts';
import type { WorkerDoors } from './worker.ts';

/**
 * Does what holds so many bytes of events of functions; waits while others hold too much. Undefined: `stopped` aborted
 * first, and nothing was done.
 */
export async function withEventBytes<T>(
  { eventBytes, environment }: Pick<WorkerDoors, 'eventBytes' | 'environment'>,
  bytes: number,
  stopped: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const measure = (): void => environment.meter.gauge(firehoseEvents.eventBytes, {}, eventBytes.usedBytes);
  if (!(await eventBytes.take(bytes, stopped))) return undefined;
  measure();
  try {
    return await work();
  } finally {
    eventBytes.giveBack(bytes);
    measure();
  }
}

/** Why a function cannot be called. */
export function missingFunction(name: string): string {
  return `there is no function ${name}`;
}
