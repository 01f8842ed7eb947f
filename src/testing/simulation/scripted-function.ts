import type { Simulation } from '../../environments/simulated/index.ts';
import { SeededRandom } from '../../environments/simulated/chance.ts';
import { ThrottleError } from '../../kernel/errors.ts';
import type { Functions, Invocation, InvokeOptions } from '../../ports/functions.ts';
import type { FunctionModel, HandedRecord } from './function-model.ts';
import type { Sent } from './sent-record.ts';

/** The name of the function that simulated nodes have. */
export const SCRIPTED = 'scripted';

const SLOW_MS_MAX = 3000;

interface KinesisEvent {
  readonly Records: readonly {
    readonly eventID: string;
    readonly kinesis: { readonly sequenceNumber: string; readonly data: string };
  }[];
}

/** The users' function on a simulated node: it fails, is slow or busy, or takes a part, by chance of its own. */
export class ScriptedFunction implements Functions {
  readonly #simulation: Simulation;
  readonly #model: FunctionModel;
  readonly #random: SeededRandom;
  /** What breaks a promise is no failure of the function: it ends the run. */
  readonly #breaks: (error: Error) => void;
  /** Records that were handed over. */
  readonly #tried = new Set<Sent>();
  /** Nothing fails any more. */
  isWell = false;

  constructor(simulation: Simulation, model: FunctionModel, seed: number, breaks: (error: Error) => void) {
    this.#simulation = simulation;
    this.#model = model;
    this.#random = new SeededRandom(seed).fork(80);
    this.#breaks = breaks;
  }

  has(name: string): boolean {
    return name === SCRIPTED && (this.isWell || !this.#random.chance(0.05));
  }

  async invoke(_name: string, event: Uint8Array, { signal }: InvokeOptions = {}): Promise<Invocation> {
    const random = this.#random;
    if (!this.isWell && random.chance(0.1)) throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
    const records = recordsOf(event);
    const [first] = records;
    const sent = this.#checked(() => this.#model.gets(records, this.#simulation.now));
    if (sent.some((one) => this.#tried.has(one))) this.#simulation.tally.note('a function gets a record again');
    for (const one of sent) this.#tried.add(one);
    const ms = random.chance(0.1) ? random.below(SLOW_MS_MAX) : random.below(5);
    await this.#simulation.environment.clock.sleep(ms, signal);
    const taken = signal?.aborted === true ? 0 : this.#takes(records.length);
    this.#model.answers(first?.shardId ?? '', sent.slice(0, taken));
    const called = { requestId: random.uuid(), logTail: '' };
    if (taken === records.length) return { ...called, payload: Buffer.from('null') };
    if (taken === 0 && random.chance(0.7)) {
      const failure = { type: 'Error', message: 'as the script says' };
      return { ...called, payload: Buffer.from('{}'), failure };
    }
    const batchItemFailures = [{ itemIdentifier: records[taken]?.sequenceNumber }];
    return { ...called, payload: Buffer.from(JSON.stringify({ batchItemFailures })) };
  }

  #takes(count: number): number {
    const random = this.#random;
    if (this.isWell || random.chance(0.7)) return count;
    return random.chance(0.5) ? 0 : random.below(count);
  }

  #checked(look: () => readonly Sent[]): readonly Sent[] {
    try {
      return look();
    } catch (error) {
      this.#breaks(error as Error);
      throw error;
    }
  }
}

function recordsOf(event: Uint8Array): HandedRecord[] {
  const { Records } = JSON.parse(Buffer.from(event).toString()) as KinesisEvent;
  return Records.map(({ eventID, kinesis: { sequenceNumber, data } }) => ({
    shardId: eventID.slice(0, eventID.indexOf(':')),
    sequenceNumber,
    data: Buffer.from(data, 'base64').toString('latin1'),
  }));
}
