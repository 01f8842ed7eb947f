import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../../ports/environment.ts';

/** The machine's own chance. */
export const nodeRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
};
