import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import { outcomeOf } from './outcome.ts';
import { FAILING_FOLDER } from './simulated-node.ts';

/**
 * Asks for everything that waits for the destination that fails; whether it was delivered. Each record that is known to
 * be stored then arrived, or a line tells of it; where there is a backup, it stands there, too. What
 * arrived once more was counted.
 */
export async function flushFailing(life: Life): Promise<boolean> {
  const { oracle, node, now, shape } = life;
  const before = [...oracle.main.all()].filter((sent) => typeof sent.fate === 'object');
  const outcome = await outcomeOf(node.admin('POST', '/admin/deliveries/{name}/flush', { name: 'failing' }));
  if (outcome.kind !== 'done' || !(outcome.answer as { flushed: boolean }).flushed) return false;
  const raw = new Map<string, Uint8Array>();
  for (const [path, bytes] of life.simulation.filesBelow(FAILING_FOLDER)) {
    if (path.startsWith(`${FAILING_FOLDER}/fake-failed/`)) {
      oracle.failing.holdsLines(path, Buffer.from(bytes).toString());
    } else if (!path.startsWith(`${FAILING_FOLDER}/retention-exceeded/`)) raw.set(path, bytes);
  }
  promised(raw.size === 0 || shape.failing?.isBackedUp === true, 'a backup was made that nobody asked for');
  const backedUp = oracle.backup.holds(raw);
  for (const sent of before) {
    if (oracle.flips > 0 || oracle.main.mayBeExpired(sent, now)) continue;
    promised(oracle.failing.has(sent), `${sent.text} was stored, and neither arrived nor failed`);
    const isThere = shape.failing?.isBackedUp !== true || backedUp.has(sent);
    promised(isThere, `${sent.text} was stored, and is not in the backup`);
  }
  await checkRepeats(life);
  return true;
}

/** A delivery counts what may arrive once more before it sends it again. */
async function checkRepeats({ oracle, node, now }: Life): Promise<void> {
  const { repeated } = oracle.failing;
  const outcome = await outcomeOf(node.admin('GET', '/admin/deliveries/{name}', { name: 'failing' }));
  // A clock that is set back brings records back whose time was over, and with which the batch was not planned.
  if (outcome.kind !== 'done' || oracle.flips > 0 || oracle.hasLost || oracle.wall.stepped(0, now)) return;
  const { possibleDuplicates = 0 } = outcome.answer as { possibleDuplicates?: number };
  promised(repeated <= possibleDuplicates, `${repeated} records arrived once more, and ${possibleDuplicates} may have`);
}
