import { SeededRandom } from '../../environments/simulated/chance.ts';
import type { Simulation } from '../../environments/simulated/index.ts';
import { ThrottleError } from '../../kernel/errors.ts';
import type { Functions, Invocation, InvokeOptions } from '../../ports/functions.ts';
import { textOf } from './payload.ts';
import type { Sent } from './sent-record.ts';
import { shaped, shapeOf, type ShapingModel } from './shaping-model.ts';

/** The name of the function that processes records on simulated nodes. */
export const SHAPER = 'shaper';

const SLOW_MS_MAX = 3000;

interface TransformEvent {
  readonly records: readonly { readonly recordId: string; readonly data: string }[];
}

/** What processes the records of a delivery: it fails, is slow or busy, or says nothing of a record, by chance. */
export class ScriptedShaper implements Functions {
  readonly #simulation: Simulation;
  readonly #model: ShapingModel;
  readonly #random: SeededRandom;
  /** What breaks a promise is no failure of the function: it ends the run. */
  readonly #breaks: (error: Error) => void;
  /** Nothing fails any more. */
  isWell = false;

  constructor(simulation: Simulation, model: ShapingModel, seed: number, breaks: (error: Error) => void) {
    this.#simulation = simulation;
    this.#model = model;
    this.#random = new SeededRandom(seed).fork(84);
    this.#breaks = breaks;
  }

  has(name: string): boolean {
    return name === SHAPER && (this.isWell || !this.#random.chance(0.05));
  }

  async invoke(_name: string, event: Uint8Array, { signal }: InvokeOptions = {}): Promise<Invocation> {
    const random = this.#random;
    if (!this.isWell && random.chance(0.1)) throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
    const { records } = JSON.parse(Buffer.from(event).toString()) as TransformEvent;
    const got = records.map(({ recordId, data }) => {
      const text = Buffer.from(data, 'base64').toString('latin1');
      return { recordId, text, sent: this.#checked(text) };
    });
    const ms = random.chance(0.1) ? random.below(SLOW_MS_MAX) : random.below(5);
    await this.#simulation.environment.clock.sleep(ms, signal);
    const called = { requestId: random.uuid(), logTail: '' };
    if (signal?.aborted === true || (!this.isWell && random.chance(0.2))) {
      for (const { sent } of got) this.#model.fails(sent);
      return { ...called, payload: Buffer.from('{}'), failure: { type: 'Error', message: 'as the script says' } };
    }
    const answers = got.flatMap(({ recordId, text, sent }) => {
      if (!this.isWell && random.chance(0.05)) {
        this.#model.fails(sent);
        return [];
      }
      this.#model.answers(sent);
      const result = shapeOf(textOf(text));
      return [{ recordId, result, ...(result === 'Ok' && { data: Buffer.from(shaped(text)).toString('base64') }) }];
    });
    return { ...called, payload: Buffer.from(JSON.stringify({ records: answers })) };
  }

  #checked(text: string): Sent {
    try {
      return this.#model.gets(text);
    } catch (error) {
      this.#breaks(error as Error);
      throw error;
    }
  }
}
