import { parentOf } from '../../kernel/paths.ts';
import type { SeededRandom } from './chance.ts';
import { Names, pathsOf, type NameChange } from './names.ts';

/**
 * How a file system orders the changes of names that nobody synced: `journal`, one after the other over the whole disk
 * (ext4, xfs); `folders`, each folder by itself (btrfs logs one folder at a time); `names`, in no order but that of one
 * name (folders without a journal, written block by block).
 */
const ORDERS = ['journal', 'folders', 'names'] as const;

type Order = (typeof ORDERS)[number];

/**
 * The changes that a power cut leaves, in the order they were made. Within each chain of the order that is drawn,
 * what was changed later than something lost is lost. A rename is whole or not at all, and stands in the chains of both
 * its names.
 */
export function survivingChanges(pending: readonly NameChange[], random: SeededRandom): readonly NameChange[] {
  const order = ORDERS[random.below(ORDERS.length)] ?? 'journal';
  const cut = new Set<string>();
  const kept: NameChange[] = [];
  const last = random.below(pending.length + 1);
  for (const [index, change] of pending.entries()) {
    const chains = chainsOf(change, order);
    const isLost = order === 'journal' ? index >= last : random.chance(1 / 3);
    if (isLost || chains.some((chain) => cut.has(chain))) for (const chain of chains) cut.add(chain);
    else kept.push(change);
  }
  return kept;
}

/** Names after a power cut: what was lost with its folder is gone too. */
export function survivingNames(durable: Names, kept: readonly NameChange[]): Names {
  for (const change of kept) durable.apply(change);
  const names = new Names();
  for (const [path, place] of durable.entries()) {
    if (path !== '/' && names.get(parentOf(path)) === 'directory') names.set(path, place);
  }
  return names;
}

function chainsOf(change: NameChange, order: Order): readonly string[] {
  if (order === 'journal') return ['/'];
  return order === 'folders' ? pathsOf(change).map(parentOf) : pathsOf(change);
}
