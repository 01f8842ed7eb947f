import type { Simulation } from '../../environments/simulated/index.ts';
import type { NodeShape } from './plan.ts';
import { SIMULATED } from './simulated-node.ts';

/** From this part of `diskBytesMax` on a node refuses what is new. */
const REFUSE_AT = 0.95;

/** What the log of a node with a bound takes of the disk, seen from outside, and what it keeps back. */
export class Room {
  readonly #simulation: Simulation;
  readonly #shape: Pick<NodeShape, 'reserveBytes' | 'diskBytesMax'>;
  /** What all files of the log took, at each moment of virtual time that this changed. */
  readonly #taken: { readonly at: number; readonly bytes: number }[] = [];
  #reserve: 'none' | 'made' | 'freed' = 'none';
  #hasRefused = false;

  constructor(simulation: Simulation, shape: NodeShape) {
    this.#simulation = simulation;
    this.#shape = shape;
    if (shape.reserveBytes !== undefined || shape.diskBytesMax !== undefined) simulation.changed = () => this.#look();
  }

  /** Whether the log took so much at some moment since then that puts were to be refused. */
  wasShort(since: number): boolean {
    const { diskBytesMax = Infinity } = this.#shape;
    const first = this.#taken.findLastIndex(({ at }) => at < since);
    return this.#taken.slice(Math.max(0, first)).some(({ bytes }) => bytes >= REFUSE_AT * diskBytesMax);
  }

  /** A client was told that there is no room. */
  refuses(): void {
    this.#hasRefused = true;
    this.#simulation.tally.note('what is new is refused, as the log takes almost all it may');
  }

  /** A client was told that its records are stored. */
  takes(): void {
    if (this.#hasRefused) this.#simulation.tally.note('a log that took almost all it may takes something new again');
    this.#hasRefused = false;
  }

  #look(): void {
    const simulation = this.#simulation;
    const sizes = simulation
      .namesIn(SIMULATED.logFolder)
      .filter((name) => !name.endsWith('.tmp'))
      .map((name) => [name, simulation.sizeOf(`${SIMULATED.logFolder}/${name}`) ?? 0] as const);
    const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);
    if (bytes !== this.#taken.at(-1)?.bytes) this.#taken.push({ at: simulation.now, bytes });
    this.#lookAtReserve(sizes.find(([name]) => name === 'reserve')?.[1]);
  }

  #lookAtReserve(bytes: number | undefined): void {
    const { tally } = this.#simulation;
    if (bytes === undefined && this.#reserve === 'made') {
      this.#reserve = 'freed';
      tally.note('the reserve is freed');
    } else if (bytes !== undefined && bytes === this.#shape.reserveBytes && this.#reserve !== 'made') {
      if (this.#reserve === 'freed') tally.note('the reserve is made again');
      this.#reserve = 'made';
    }
  }
}
