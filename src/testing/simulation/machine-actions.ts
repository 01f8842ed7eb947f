import type { Simulation } from '../../environments/simulated/index.ts';
import { unreachable } from '../../kernel/assert.ts';
import type { Oracle } from './oracle.ts';
import type { MachineAction } from './plan.ts';
import { SIMULATED } from './simulated-node.ts';

/** The machine of a run and what is wrong with it. */
export class Machine {
  readonly #simulation: Simulation;
  readonly #oracle: Oracle;
  /** Lives that still find the disk full as they start. */
  #fullLives = 0;

  constructor(simulation: Simulation, oracle: Oracle) {
    this.#simulation = simulation;
    this.#oracle = oracle;
  }

  /** Whether an operation of the disk failed in this life; one that was to fail and never came excuses nothing. */
  get hasFaults(): boolean {
    return this.#simulation.faultsMet > 0;
  }

  /** Whether the disk did in this life what it was told, and soon. */
  get isPrompt(): boolean {
    return !this.hasFaults && this.#simulation.slowed === 0;
  }

  /** Whether anything is wrong with the disk or with what it holds. */
  get isTroubled(): boolean {
    return this.hasFaults || this.#oracle.flips > 0;
  }

  /** A life begins. */
  begins(): void {
    if (this.#fullLives === 0) this.#simulation.limitDisk(Infinity);
    this.#fullLives = Math.max(0, this.#fullLives - 1);
  }

  /** Nothing is wrong any more. */
  mends(): void {
    this.#fullLives = 0;
    this.begins();
  }

  async does(action: MachineAction): Promise<void> {
    const simulation = this.#simulation;
    switch (action.do) {
      case 'cut':
        return simulation.crashAfterFileOperations(action.operations);
      case 'fail':
        return simulation.failNext(action.operation, ...Array.from({ length: action.count }, () => action.code));
      case 'slow':
        return simulation.slowDisk(action.operations, action.ms);
      case 'full':
        return await this.#fill(action);
      case 'step':
        simulation.stepClock(action.ms);
        return this.#oracle.wall.step(simulation.now, action.ms);
      case 'flip':
        return this.#flip(action);
      default:
        return unreachable(action);
    }
  }

  async #fill({ freeBytes, ms, stays }: Extract<MachineAction, { do: 'full' }>): Promise<void> {
    if (stays) this.#fullLives = 1;
    this.#simulation.limitDisk(freeBytes);
    await this.#simulation.environment.clock.sleep(ms);
    if (this.#fullLives === 0) this.#simulation.limitDisk(Infinity);
  }

  /** Not in the newest file of the log: the end of what was written last may be torn, and nobody can tell. */
  #flip({ file, at, bit }: Extract<MachineAction, { do: 'flip' }>): void {
    const names = this.#simulation.namesIn(SIMULATED.logFolder).filter((name) => name.startsWith('segment-'));
    const older = names.slice(0, -1);
    const name = older[Math.floor(file * older.length)];
    if (name === undefined) return;
    const path = `${SIMULATED.logFolder}/${name}`;
    const bytes = this.#simulation.sizeOf(path) ?? 0;
    if (bytes === 0) return;
    if (this.#simulation.flipBit(path, Math.floor(at * bytes), bit)) this.#oracle.flips += 1;
  }
}
