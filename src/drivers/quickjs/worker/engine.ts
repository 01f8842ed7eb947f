import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
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
import { readFailure } from './failure.ts';
import { GUEST, PLACE_STEP } from './guest.ts';
import { readAnswer } from './read-answer.ts';

// The package's declaration speaks of its CommonJS form.
const variant = quickJsNg as unknown as QuickJSSyncVariant;
/** Well below what the thread's own stack takes, so that a recursion ends inside the engine. */
const STACK_BYTES_MAX = 256 * 1024;
/** Reading a script takes as long as the machine needs; that of the largest is some ten ms. */
const COMPILE_MS = 400;

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
      opened = State.open(this.#module, this.#spec, COMPILE_MS);
    } catch (error) {
      throw gaveUp(error);
    }
    if (opened instanceof State) this.#state = opened;
    // A machine may be slow once; a text with an error stays one.
    else if (opened.kind === 'time') return opened;
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

  /** Compiles the script; gives its syntax error when it has one. */
  static open(module: QuickJSWASMModule, spec: EngineSpec, withinMs: number): State | ScriptFailure {
    const state = new State(module);
    const context = state.#context;
    const prepare = state.#keep(context.unwrapResult(context.evalCode(GUEST, 'guest.js')));
    state.#deadline = performance.now() + withinMs;
    // The body begins on a line of its own: its lines are those of the wrapped text less one, its columns the same.
    const helpers = 'decodeToString,decodeToJson,print,console';
    const text = `(function(${helpers}){return function(${spec.parameters.join(',')}){\n${spec.text}\n}})`;
    const isWhole = state.#isWhole(spec.text);
    const made = context.evalCode(text, 'script.js', { type: 'global', strict: false, compileOnly: !isWhole });
    if (made.error !== undefined) {
      const { name, message, stack } = context.dump(made.error) as { name?: string; message?: string; stack?: string };
      made.error.dispose();
      state.close();
      if (state.isOverdue) return { kind: 'time', message: `could not be compiled within ${withinMs} ms` };
      return readFailure({ kind: 'syntax', message: `${name}: ${message}`, stack: stack ?? '' }, spec.text);
    }
    if (!isWhole) {
      made.value.dispose();
      state.close();
      return { kind: 'syntax', message: 'SyntaxError: the text ends the function it stands in' };
    }
    state.#keep(made.value);
    const most = state.#keep(context.newNumber(spec.limits.resultBytesMax));
    state.#run = state.#keep(context.unwrapResult(context.callFunction(prepare, context.undefined, made.value, most)));
    return state;
  }

  /**
   * False: it has a mistake, or would go on behind the function it is the body of, with code that runs when it is read.
   * What ends a function leaves a method in mid-object, and the other way round: what is the body of both runs nothing.
   */
  #isWhole(text: string): boolean {
    return [`(function(){\n${text}\n})`, `({method(){\n${text}\n}})`].every((form) => this.#reads(form));
  }

  #reads(text: string): boolean {
    const options = { type: 'global', strict: false, compileOnly: true } as const;
    const read = this.#context.evalCode(text, 'script.js', options);
    read.dispose();
    return read.error === undefined;
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
