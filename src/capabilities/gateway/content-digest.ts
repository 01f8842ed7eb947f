import { createHash } from 'node:crypto';
import { BytesInTurns } from '../../kernel/flow/bytes-in-turns.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Clock } from '../../ports/environment.ts';

/** The SHA-256 of a body in hex; a large one is hashed in turns of the loop. */
export async function contentDigest(clock: Clock, body: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  const turns = new BytesInTurns(async () => await nextTurn(clock));
  await turns.each(body, (piece) => void hash.update(piece));
  return hash.digest('hex');
}
