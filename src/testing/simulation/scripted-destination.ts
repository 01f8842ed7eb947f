import { SeededRandom } from '../../environments/simulated/chance.ts';
import type { Simulation } from '../../environments/simulated/index.ts';
import { DeliveryError, EnvironmentError } from '../../kernel/errors.ts';
import type { Refused } from '../../ports/destination.ts';
import { FakeDestination, type FakeAttempt } from '../fake-destination.ts';
import type { DestinationModel } from './destination-model.ts';

const SLOW_MS_MAX = 3000;

/** The destination of a simulated node that fails, is slow, takes a part, or takes all and does not say so. */
export class ScriptedDestination {
  readonly fake: FakeDestination;
  readonly #simulation: Simulation;
  readonly #model: DestinationModel;
  readonly #random: SeededRandom;
  /** What breaks a promise is no failure of the destination: it ends the run. */
  readonly #breaks: (error: Error) => void;
  /** Records that were attempted. */
  readonly #tried = new Set<string>();
  /** Nothing fails any more. */
  isWell = false;

  constructor(simulation: Simulation, model: DestinationModel, seed: number, breaks: (error: Error) => void) {
    this.#simulation = simulation;
    this.#model = model;
    this.#random = new SeededRandom(seed).fork(82);
    this.#breaks = breaks;
    this.fake = new FakeDestination(async (attempt) => await this.#answer(attempt));
  }

  async #answer({ records, signal }: FakeAttempt): Promise<readonly Refused[]> {
    const random = this.#random;
    if (records.some(({ text }) => this.#tried.has(text))) this.#simulation.tally.note('a delivery is tried again');
    for (const { text } of records) this.#tried.add(text);
    if (this.isWell) return this.#take(records, []);
    const ms = random.chance(0.1) ? random.below(SLOW_MS_MAX) : random.below(5);
    await this.#simulation.environment.clock.sleep(ms, signal);
    if (signal.aborted) throw new DeliveryError('Scripted.Stopped', 'the node stops', true);
    if (random.chance(0.2)) throw new DeliveryError('Scripted.Down', 'as the script says', random.chance(0.7));
    const refused = records.flatMap((_, index) => (random.chance(0.2) ? [this.#refusal(index)] : []));
    const isSilent = random.chance(0.15);
    const answer = this.#take(records, isSilent ? [] : refused);
    if (!isSilent) return answer;
    const cause = new EnvironmentError('ECONNRESET', 'no answer came');
    throw new DeliveryError('Scripted.Reset', 'no answer came', true, cause);
  }

  #refusal(index: number): Refused {
    return { index, code: 'Scripted.Refused', message: 'as the script says', retryable: this.#random.chance(0.6) };
  }

  #take(records: FakeAttempt['records'], refused: readonly Refused[]): readonly Refused[] {
    const places = new Set(refused.map(({ index }) => index));
    try {
      for (const [index, { text }] of records.entries()) if (!places.has(index)) this.#model.takes(text);
    } catch (error) {
      this.#breaks(error as Error);
      throw error;
    }
    return refused;
  }
}
