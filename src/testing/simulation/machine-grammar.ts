import type { SeededRandom } from '../../environments/simulated/chance.ts';
import type { FileOperation } from '../../environments/simulated/faults.ts';
import type { EnvironmentCode } from '../../kernel/errors.ts';
import { MACHINE, type MachineAction, type Step } from './plan.ts';

/** What a life's machine may do. */
export interface MachineTraits {
  /** How far the clock is set from where it would be, ms; undefined: this one does not step. */
  readonly clockMs: number | undefined;
  readonly flips: boolean;
  /** Nothing at all goes wrong. */
  readonly isStill: boolean;
}

const HOUR_MS = 3_600_000;
/** Where the clock may be set. Between any two of them lies less than the window of webhook ids. */
const CLOCKS_MS = [-50 * HOUR_MS, -3 * HOUR_MS, -5000, 0, 5000, 3 * HOUR_MS, 30 * HOUR_MS, 50 * HOUR_MS];
const STEP_SHARE = 0.6;

/** What a disk does wrong, and what it says then. */
const DISK_FAULTS: readonly (readonly [FileOperation, EnvironmentCode])[] = [
  ['sync', 'EIO'],
  ['sync', 'EIO'],
  ['sync', 'EIO'],
  ['sync', 'EIO'],
  ['write', 'EIO'],
  ['write', 'ENOSPC'],
  ['write', 'ENOSPC'],
  ['read', 'EIO'],
  ['read', 'EIO'],
  ['open', 'EIO'],
  ['open', 'EIO'],
  ['create', 'ENOSPC'],
  ['makeDirectory', 'EIO'],
  ['makeDirectory', 'ENOSPC'],
  ['size', 'EIO'],
  ['isDirectory', 'EIO'],
  ['close', 'EIO'],
  ['syncDirectory', 'EIO'],
  ['rename', 'EIO'],
  ['remove', 'EIO'],
  ['truncate', 'EIO'],
  ['list', 'EIO'],
];

/** Grows what happens to the machine in one life. */
export function growMachine(random: SeededRandom, { clockMs, flips, isStill }: MachineTraits): Step[] {
  const actions: MachineAction[] = [];
  if (!isStill) actions.push(...growTrouble(random));
  if (clockMs !== undefined && random.chance(STEP_SHARE)) {
    actions.push({ do: 'step', ms: random.pick(CLOCKS_MS) - clockMs });
  }
  if (flips && random.chance(0.5)) {
    actions.push({ do: 'flip', file: random.fraction(), at: random.fraction(), bit: random.below(8) });
  }
  return actions.map((action) => ({ client: MACHINE, pauseMs: pauseOf(action, random), ...action }));
}

/** Mostly the power goes in the middle of something; else a disk that fails, is full or slow. */
function growTrouble(random: SeededRandom): MachineAction[] {
  const actions: MachineAction[] = [];
  if (random.chance(0.6)) actions.push({ do: 'cut', operations: 1 + random.below(random.chance(0.3) ? 30 : 250) });
  if (random.chance(0.3)) {
    const [operation, code] = random.pick(DISK_FAULTS);
    actions.push({ do: 'fail', operation, code, count: 1 + random.below(3) });
  }
  if (random.chance(0.1)) {
    const freeBytes = random.below(60_000);
    actions.push({ do: 'full', freeBytes, ms: random.below(3000), stays: random.chance(0.2) });
  }
  if (random.chance(0.1)) actions.push({ do: 'slow', operations: 1 + random.below(30), ms: random.below(4000) });
  return actions;
}

function pauseOf({ do: kind }: MachineAction, random: SeededRandom): number {
  return kind === 'cut' || random.chance(0.2) ? 0 : random.below(500);
}
