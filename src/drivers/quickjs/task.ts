import type { ScriptArgument, ScriptFailure, ScriptOutcome } from '../../ports/script.ts';
import { BATCH_BYTES_MAX, BATCH_CALLS_MAX } from './limits.ts';
import type { Batch, BatchDone, EngineSpec, PackedArgument } from './messages.ts';

/** All calls that somebody waits for together; it may take several batches, on several threads. */
export class Task {
  readonly spec: EngineSpec;
  readonly name: string;
  /** Of all arguments. */
  readonly bytes: number;
  /** Rejects with what `fail` was given. */
  readonly finished: Promise<readonly ScriptOutcome[]>;
  readonly #calls: readonly (readonly ScriptArgument[])[];
  readonly #outcomes: ScriptOutcome[];
  #left: number[];
  #resolve!: (outcomes: readonly ScriptOutcome[]) => void;
  #reject!: (error: Error) => void;

  constructor(spec: EngineSpec, name: string, calls: readonly (readonly ScriptArgument[])[]) {
    [this.spec, this.name, this.#calls] = [spec, name, calls];
    this.#outcomes = Array.from({ length: calls.length });
    this.#left = calls.map((_, index) => index);
    this.bytes = calls.reduce((sum, call) => sum + bytesOf(call), 0);
    this.finished = new Promise((resolve, reject) => {
      [this.#resolve, this.#reject] = [resolve, reject];
    });
  }

  /** The next calls to run. */
  batch(): Batch {
    const calls: (readonly PackedArgument[])[] = [];
    const pieces: Uint8Array[] = [];
    let [bytes, at] = [0, 0];
    const packed = (argument: ScriptArgument): PackedArgument => {
      if (typeof argument === 'string') return argument;
      pieces.push(argument);
      at += argument.length;
      return { at: at - argument.length, length: argument.length };
    };
    for (const index of this.#left) {
      if (calls.length === BATCH_CALLS_MAX || bytes >= BATCH_BYTES_MAX) break;
      const call = this.#calls[index] ?? [];
      calls.push(call.map(packed));
      bytes += bytesOf(call);
    }
    return { spec: this.spec, bytes: joined(pieces, at), calls };
  }

  /** Takes over what a thread did of the batch; true when nothing is left. */
  advance({ outcomes, problem }: BatchDone): boolean {
    for (const outcome of outcomes) {
      const index = this.#left.shift() ?? 0;
      this.#outcomes[index] = typeof outcome === 'string' ? { json: outcome, printed: [] } : outcome;
    }
    if (problem !== undefined) this.#outcomes.push({ failure: problem, printed: [] });
    return this.#settle();
  }

  /** The call at this place of the batch has failed; those before it are run again. True when nothing is left. */
  failed(place: number, failure: ScriptFailure): boolean {
    const [index = 0] = this.#left.splice(place, 1);
    this.#outcomes[index] = { failure, printed: [] };
    return this.#settle();
  }

  /** Ends it: nobody can run it. */
  fail(error: Error): void {
    this.#reject(error);
  }

  #settle(): boolean {
    if (this.#left.length > 0) return false;
    this.#resolve(this.#outcomes);
    return true;
  }
}

/** One buffer and nothing around it: a message takes all that is behind a view. */
function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function bytesOf(call: readonly ScriptArgument[]): number {
  return call.reduce((sum, argument) => sum + argument.length, 0);
}
