import type { Life } from './life.ts';
import { outcomeOf } from './outcome.ts';
import { SHAPED_FOLDER } from './simulated-node.ts';

/**
 * Asks for everything that waits for the function, and for what it made; whether it was delivered. Each record that is
 * known to be stored was then delivered as the function made it, or dropped, or a line tells of it.
 */
export async function flushShaped(life: Life): Promise<boolean> {
  const { oracle, node, now } = life;
  const stored = [...oracle.main.all()].filter((sent) => typeof sent.fate === 'object');
  const outcome = await outcomeOf(node.admin('POST', '/admin/deliveries/{name}/flush', { name: 'shaped' }));
  if (outcome.kind !== 'done' || !(outcome.answer as { flushed: boolean }).flushed) return false;
  const objects = new Map<string, Uint8Array>();
  const lines = new Map<string, Uint8Array>();
  for (const [path, bytes] of life.simulation.filesBelow(SHAPED_FOLDER)) {
    if (path.startsWith(`${SHAPED_FOLDER}/processing-failed/`)) lines.set(path, bytes);
    else if (!path.startsWith(`${SHAPED_FOLDER}/retention-exceeded/`)) objects.set(path, bytes);
  }
  const owed = stored.filter((sent) => oracle.flips === 0 && !oracle.main.mayBeExpired(sent, now));
  oracle.shaping.holds({ objects, lines }, owed);
  return true;
}
