import type { SeededRandom } from '../environments/simulated/chance.ts';
import { EnvironmentError } from '../kernel/errors.ts';
import type { Clock } from '../ports/environment.ts';
import type { HttpScript, ScriptedAnswer, SeenRequest } from './scripted-http.ts';

/** How a scripted feed behaves. */
export interface ScriptedFeedOptions {
  /** Events it sends again when a client comes back. */
  readonly overlap?: number;
  /** Its events have no ids: who comes back gets what is published from then on. */
  readonly hasNoIds?: boolean;
  /** Connections break after about so many bytes. */
  readonly breaksAfterBytes?: number;
}

const LOOK_MS = 5;

/** A server of server-sent events in virtual time: its events are numbered from 1, and it goes on after any of them. */
export class ScriptedFeed {
  /** All requests so far. */
  readonly seen: SeenRequest[] = [];
  /** Answers given before it serves again, one each. */
  readonly refusals: ScriptedAnswer[] = [];
  readonly #data: string[] = [];
  readonly #clock: () => Clock;
  readonly #random: SeededRandom;
  readonly #options: ScriptedFeedOptions;

  constructor(clock: () => Clock, random: SeededRandom, options: ScriptedFeedOptions = {}) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
  }

  /** The next event's data; its id is how many there are then. */
  publish(...data: readonly string[]): void {
    this.#data.push(...data);
  }

  /** How many events there are. */
  get published(): number {
    return this.#data.length;
  }

  /** The position with which the newest request came. */
  get askedAfter(): string | undefined {
    return this.seen.at(-1)?.headers['last-event-id'];
  }

  readonly script: HttpScript = (request) => {
    this.seen.push(request);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return refusal;
    return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, pieces: this.#pieces(request) };
  };

  async *#pieces({ headers }: SeenRequest): AsyncGenerator<Uint8Array> {
    const { overlap = 0, hasNoIds = false, breaksAfterBytes = Infinity } = this.#options;
    const asked = Number(headers['last-event-id'] ?? '0');
    let next = hasNoIds ? this.#data.length : Math.max(0, asked - overlap);
    let left = breaksAfterBytes * (0.5 + this.#random.fraction());
    yield Buffer.from(':ok\n\n');
    for (;;) {
      const texts: string[] = [];
      for (; next < this.#data.length; next += 1) texts.push(this.#event(next));
      let bytes = Buffer.from(texts.join(''));
      while (bytes.length > 0) {
        const size = Math.min(left, 1 + this.#random.below(200));
        yield bytes.subarray(0, size);
        left -= size;
        if (left <= 0) throw new EnvironmentError('ECONNRESET', 'the connection broke');
        bytes = bytes.subarray(size);
        if (this.#random.below(4) === 0) await this.#clock().sleep(1);
      }
      await this.#clock().sleep(LOOK_MS);
    }
  }

  #event(index: number): string {
    const id = this.#options.hasNoIds === true ? '' : `id: ${index + 1}\n`;
    return `${id}data: ${this.#data[index]}\n\n`;
  }
}
