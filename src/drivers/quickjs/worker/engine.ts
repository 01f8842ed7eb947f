import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type ContextEvalOptions,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import quickJsNg from '@jitl/quickjs-ng-wasmfile-release-sync';
import { assert } from '../../../kernel/assert.ts';
import type { ScriptFailure, ScriptOutcome } from '../../../ports/script.ts';
import { MEMORY_PAGE_BYTES, MEMORY_PAGES_MIN } from '../limits.ts';
import type { EngineSpec, PackedArgument } from '../messages.ts';
import { webAssembly, type WasmMemory, type WasmModule } from '../web-assembly.ts';
import { readFailure, type GuestFailure } from './failure.ts';
import { GUEST, PLACE_STEP } from './guest.ts';
import { readAnswer } from './read-answer.ts';

// The package's declaration speaks of its CommonJS form.
const variant = quickJsNg as unknown as QuickJSSyncVariant;
/** Well below what the thread's own stack takes, so that a recursion ends inside the engine. */
const STACK_BYTES_MAX = 256 * 1024;

const FORGED: ScriptFailure = { kind: 'error', message: 'the script broke what answers for it' };

/** The engine cannot go on: its thread is to be ended. */
export class EngineSpent extends Error {
  override readonly name = 'EngineSpent';
  readonly failure: ScriptFailure;

  constructor(failure: ScriptFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The text that was to be a script is none. */
class NoScript extends Error {
  override readonly name = 'NoScript';
  readonly failure: GuestFailure;

  constructor(failure: GuestFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** One script in an engine of its own, with a memory of its own that cannot grow beyond the script's limit. */
export class Engine {
  readonly #module: QuickJSWASMModule;
  readonly #memory: WasmMemory;
  readonly #spec: EngineSpec;
  #state: State | undefined;
  #problem: ScriptFailure | undefined;
  #isSpent = false;

  constructor(module: QuickJSWASMModule, memory: WasmMemory, spec: EngineSpec) {
    this.#module = module;
    this.#memory = memory;
    this.#spec = spec;
  }

  /** An engine that has not read its script yet; `wasm` is the compiled module. */
  static async create(wasm: WasmModule, spec: EngineSpec): Promise<Engine> {
    const maximum = Math.max(MEMORY_PAGES_MIN, Math.floor(spec.limits.memoryBytesMax / MEMORY_PAGE_BYTES));
    const { Memory } = webAssembly() as NonNullable<ReturnType<typeof webAssembly>>;
    const wasmMemory = new Memory({ initial: MEMORY_PAGES_MIN, maximum });
    const options = { wasmModule: wasm, wasmMemory };
    return new Engine(await newQuickJSWASMModuleFromVariant(newVariant(variant, options)), wasmMemory, spec);
  }

  /** Whether it is not to be used again, with its thread. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** What the script's memory has grown by since its start. */
  get grownBytes(): number {
    return this.#memory.buffer.byteLength - MEMORY_PAGES_MIN * MEMORY_PAGE_BYTES;
  }

  /** Reads the script unless that is done, and gives what is wrong with it. Throws EngineSpent. */
  problem(): ScriptFailure | undefined {
    if (this.#state !== undefined || this.#problem !== undefined) return this.#problem;
    let opened: State | ScriptFailure;
    try {
      opened = State.open(this.#module, this.#spec);
    } catch (error) {
      throw gaveUp(error);
    }
    if (opened instanceof State) this.#state = opened;
    else this.#problem = opened;
    return this.#problem;
  }

  /** One call of a script that has no problem, with arguments that may lie in `bytes`. Throws EngineSpent. */
  call(given: readonly PackedArgument[], bytes: Uint8Array): string | ScriptOutcome {
    const state = this.#state;
    assert(state !== undefined, 'a script is read before it is called');
    try {
      return this.#answer(state, state.call(given, bytes, this.#spec.limits.timeMs));
    } catch (error) {
      throw error instanceof EngineSpent ? error : gaveUp(error);
    }
  }

  #answer(state: State, text: string | undefined): string | ScriptOutcome {
    const { timeMs, memoryBytesMax, resultBytesMax } = this.#spec.limits;
    if (state.isOverdue) {
      this.#renew();
      return { failure: { kind: 'time', message: `took longer than ${timeMs} ms` }, printed: [] };
    }
    const memory: ScriptFailure = { kind: 'memory', message: `needs more memory than ${memoryBytesMax} bytes` };
    if (text === undefined) throw new EngineSpent(memory);
    // What a script leaves to promises is never run, and must not pile up either.
    if (state.hasJobs) this.#renew();
    const answer = readAnswer(text);
    if (answer === undefined) return { failure: FORGED, printed: [] };
    const { json, failure, printed } = answer;
    // Without memory for an error the engine throws null.
    const isNull = failure?.message === 'threw null' && this.grownBytes > 0;
    if (failure?.kind === 'memory' || isNull) throw new EngineSpent(memory);
    return failure === undefined
      ? sized(json ?? '', resultBytesMax, printed)
      : { failure: readFailure(failure, this.#spec.text), printed };
  }

  /** The next call finds a fresh world. */
  #renew(): void {
    const state = this.#state;
    this.#state = undefined;
    try {
      state?.close();
    } catch {
      this.#isSpent = true;
    }
  }
}

function gaveUp(error: unknown): EngineSpent {
  const message = error instanceof Error ? error.message : String(error);
  return new EngineSpent({ kind: 'memory', message: `the engine gave up: ${message.slice(0, 200)}` });
}

function sized(json: string, bytesMax: number, printed: readonly string[]): string | ScriptOutcome {
  if (Buffer.byteLength(json) > bytesMax)
    return { failure: { kind: 'result', message: `the result is larger than ${bytesMax} bytes` }, printed };
  return printed.length === 0 ? json : { json, printed };
}

/** A script's world: its runtime, its globals, and the function to call. */
class State {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #handles: QuickJSHandle[] = [];
  #run: QuickJSHandle | undefined;
  /** The bytes of a batch as the guest has them. */
  #bytes: { readonly of: Uint8Array; readonly handle: QuickJSHandle } | undefined;
  readonly #numbers: QuickJSHandle[] = [];
  /** The last texts by their place: what is the same for all calls crosses once. */
  readonly #texts = new Map<number, { readonly of: string; readonly handle: QuickJSHandle }>();
  #deadline = Infinity;
  isOverdue = false;

  constructor(module: QuickJSWASMModule) {
    this.#runtime = module.newRuntime();
    this.#runtime.setMaxStackSize(STACK_BYTES_MAX);
    this.#runtime.setInterruptHandler(() => {
      this.isOverdue ||= performance.now() > this.#deadline;
      return this.isOverdue;
    });
    this.#context = this.#runtime.newContext();
  }

  /** Compiles the script and runs nothing of it; gives its syntax error when it has one. */
  static open(module: QuickJSWASMModule, spec: EngineSpec): State | ScriptFailure {
    const state = new State(module);
    const context = state.#context;
    const prepare = state.#keep(context.unwrapResult(context.evalCode(GUEST, 'guest.js')));
    // The body begins on a line of its own: its lines are those of the wrapped text less one, its columns the same.
    const body = `(${spec.parameters.join(',')}){\n${spec.text}\n}`;
    const helpers = 'decodeToString,decodeToJson,print,console';
    // A text that closed its function would run what follows while it is read, without a deadline. Behind a method only
    // a comma or a brace may stand, and behind a declaration neither: what is a body in both closes nothing.
    try {
      state.#evaluate(`function script${body}`, { compileOnly: true });
      const make = state.#evaluate(`(function(${helpers}){return {''${body}}['']})`);
      const most = state.#keep(context.newNumber(spec.limits.resultBytesMax));
      state.#run = state.#keep(context.unwrapResult(context.callFunction(prepare, context.undefined, make, most)));
      return state;
    } catch (error) {
      if (!(error instanceof NoScript)) throw error;
      state.close();
      return readFailure(error.failure, spec.text);
    }
  }

  get hasJobs(): boolean {
    return this.#runtime.hasPendingJob();
  }

  /** The guest's answer; undefined when it could not even make one. */
  call(given: readonly PackedArgument[], bytes: Uint8Array, timeMs: number): string | undefined {
    const context = this.#context;
    const handles = [this.#bytesOf(bytes), ...given.map((argument, place) => this.#argument(argument, place))];
    this.isOverdue = false;
    this.#deadline = performance.now() + timeMs;
    const result = context.callFunction(this.#run as QuickJSHandle, context.undefined, ...handles);
    for (const number of this.#numbers.splice(0)) number.dispose();
    const handle = result.error ?? result.value;
    const text = result.error === undefined && !this.isOverdue ? context.getString(handle) : undefined;
    handle.dispose();
    return text;
  }

  close(): void {
    this.#bytes?.handle.dispose();
    for (const { handle } of this.#texts.values()) handle.dispose();
    for (const handle of this.#handles) handle.dispose();
    this.#context.dispose();
    this.#runtime.dispose();
  }

  /** Throws NoScript when the text is no JavaScript. */
  #evaluate(text: string, options: ContextEvalOptions = {}): QuickJSHandle {
    const made = this.#context.evalCode(text, 'script.js', { type: 'global', strict: false, ...options });
    if (made.error === undefined) return this.#keep(made.value);
    const dumped = this.#context.dump(made.error) as { name?: string; message?: string; stack?: string };
    made.error.dispose();
    const { name, message, stack = '' } = dumped;
    throw new NoScript({ kind: 'syntax', message: `${name}: ${message}`, stack });
  }

  #bytesOf(bytes: Uint8Array): QuickJSHandle {
    if (this.#bytes?.of === bytes) return this.#bytes.handle;
    this.#bytes?.handle.dispose();
    const handle = this.#context.newArrayBuffer(bytes.buffer);
    this.#bytes = { of: bytes, handle };
    return handle;
  }

  #argument(argument: PackedArgument, place: number): QuickJSHandle {
    if (typeof argument !== 'string') {
      const number = this.#context.newNumber(argument.at * PLACE_STEP + argument.length);
      this.#numbers.push(number);
      return number;
    }
    const last = this.#texts.get(place);
    if (last?.of === argument) return last.handle;
    last?.handle.dispose();
    const handle = this.#context.newString(argument);
    this.#texts.set(place, { of: argument, handle });
    return handle;
  }

  #keep(handle: QuickJSHandle): QuickJSHandle {
    this.#handles.push(handle);
    return handle;
  }
}
