import { EnvironmentError, ThrottleError } from '../../kernel/errors.ts';
import { canonicalJson } from '../../kernel/json.ts';
import { functionArn } from '../../kernel/names.ts';
import type { Json } from '../../ports/catalog.ts';
import type { FunctionOutcome, FunctionRun } from '../../ports/function-runtime.ts';
import type { Functions, Invocation, InvokeOptions } from '../../ports/functions.ts';
import { checkEvent } from './check-event.ts';
import type { FunctionsOptions } from './config.ts';
import { eventTooLarge, functionNotFound } from './errors.ts';
import { functionsEvents } from './events.ts';
import type { FunctionLogs } from './function-logs.ts';
import { HostedFunction, type FunctionParts } from './hosted-function.ts';
import { InvocationLog } from './invocation-log.ts';
import { functionsLimits } from './limits.ts';

/** The functions of the file: what every other room runs handlers with. */
export class HostedFunctions implements Functions {
  readonly #parts: FunctionParts;
  readonly #logs: FunctionLogs;
  #functions: ReadonlyMap<string, HostedFunction> = new Map();
  /** With the name of each. */
  readonly #closing = new Map<Promise<void>, string>();
  #isClosing = false;

  constructor(parts: FunctionParts, logs: FunctionLogs) {
    this.#parts = parts;
    this.#logs = logs;
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  get(name: string): HostedFunction | undefined {
    return this.#functions.get(name);
  }

  /** Sorted by name. */
  list(): readonly HostedFunction[] {
    return [...this.#functions.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** From now on there are these; runs of changed ones end on the old code. */
  apply(options: FunctionsOptions): void {
    const functions = new Map<string, HostedFunction>();
    for (const [name, wanted] of Object.entries(options)) {
      const known = this.#functions.get(name);
      const isSame = known !== undefined && canonicalJson(known.options as Json) === canonicalJson(wanted as Json);
      const one = isSame ? known : new HostedFunction(name, wanted, this.#parts);
      functions.set(name, one);
      void this.#examine(one);
    }
    const before = this.#functions;
    this.#functions = functions;
    for (const [name, one] of before) if (functions.get(name) !== one) this.#closeLater(one);
  }

  async invoke(name: string, event: Uint8Array, options: InvokeOptions = {}): Promise<Invocation> {
    const one = this.#functions.get(name);
    const { region, account } = this.#parts.identity;
    if (one === undefined) throw functionNotFound(functionArn(region, account, name));
    if (this.#isClosing) throw new ThrottleError('TooManyRequestsException', 'The node is being stopped.');
    const { eventBytesMax } = functionsLimits;
    if (event.length > eventBytesMax) throw eventTooLarge(event.length, 'RequestResponse', eventBytesMax);
    const { clock } = this.#parts.environment;
    const checking = options.isChecked === true ? undefined : checkEvent(event, clock);
    if (checking !== undefined) await checking;
    const requestId = options.requestId ?? this.#parts.environment.random.uuid();
    const log = new InvocationLog(requestId, one.memoryMb);
    const outcome = await this.#run(one, { requestId, event, line: log.add, ...waitingOf(options) });
    log.finish(outcome);
    this.#measure(one, outcome);
    one.note(outcome, requestId);
    const { durationMs, initMs, memoryBytesPeak, failure, payload } = outcome;
    await this.#logs.keep({
      function: name,
      requestId,
      durationMs,
      ...(initMs !== undefined && { initMs }),
      memoryBytesPeak,
      ...(failure !== undefined && { errorType: failure.type }),
      lines: log.lines,
    });
    return { requestId, payload, ...(failure !== undefined && { failure }), logTail: log.tail };
  }

  /** Lets what runs come to its end, then ends all processes. */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    for (const one of this.#functions.values()) void this.#closeNow(one, withinMs);
    await Promise.all(this.#closing.keys());
    await this.#logs.settle();
  }

  problems(): string[] {
    return this.list().flatMap(({ name, problem }) => (problem === undefined ? [] : [`function ${name}: ${problem}`]));
  }

  async #run(one: HostedFunction, run: FunctionRun): Promise<FunctionOutcome> {
    try {
      const running = one.run(run);
      this.#gauge(one);
      return await running;
    } catch (error) {
      if (error instanceof ThrottleError) {
        this.#parts.environment.meter.count(functionsEvents.throttles, { function: one.name });
      }
      if (!(error instanceof EnvironmentError)) throw error;
      // Who calls a function on Lambda knows no other failure than one of the function.
      const problem = (await one.examine()) ?? error.message;
      const failure = { type: 'Runtime.InvalidEntrypoint', message: problem };
      const payload = Buffer.from(JSON.stringify({ errorType: failure.type, errorMessage: failure.message }));
      return { payload, failure, durationMs: 0, memoryBytesPeak: 0 };
    }
  }

  #measure(one: HostedFunction, { failure, durationMs, initMs }: FunctionOutcome): void {
    const { meter } = this.#parts.environment;
    const labels = { function: one.name };
    meter.count(functionsEvents.invocations, labels);
    meter.observe(functionsEvents.duration, labels, durationMs);
    if (initMs !== undefined) meter.observe(functionsEvents.coldStart, labels, initMs);
    if (failure !== undefined) meter.count(functionsEvents.failures, labels);
    this.#gauge(one);
  }

  #gauge(one: HostedFunction): void {
    const { meter } = this.#parts.environment;
    const labels = { function: one.name };
    const { processes, running, waiting } = one.stats;
    meter.gauge(functionsEvents.processes, labels, processes);
    meter.gauge(functionsEvents.running, labels, running);
    meter.gauge(functionsEvents.waiting, labels, waiting);
  }

  async #examine(one: HostedFunction): Promise<void> {
    const before = one.problem;
    const problem = await one.examine();
    if (problem === undefined || problem === before) return;
    this.#parts.environment.log.warn(functionsEvents.problem, { function: one.name, problem });
  }

  /** It leaves the file, or its options changed: what runs may take as long as it may. */
  #closeLater(one: HostedFunction): void {
    const timeoutMs = (one.options.timeoutSeconds ?? functionsLimits.timeoutSeconds) * 1000;
    void this.#closeNow(one, timeoutMs).then(() => this.#forget(one.name));
  }

  /** Its last run is over: until then its calls need its key pair. */
  #forget(name: string): void {
    if (this.#functions.has(name) || [...this.#closing.values()].includes(name)) return;
    this.#parts.environment.meter.forget({ function: name });
    void this.#parts.surroundings.forget(name);
  }

  async #closeNow(one: HostedFunction, withinMs: number): Promise<void> {
    const closing = one.close(withinMs).finally(() => this.#closing.delete(closing));
    this.#closing.set(closing, one.name);
    await closing;
  }
}

/** Of what a call says, what becomes of its event when nobody waits for it any more. */
function waitingOf({ signal, goesOn }: InvokeOptions): Pick<FunctionRun, 'signal' | 'goesOn'> {
  return { ...(signal !== undefined && { signal }), ...(goesOn !== undefined && { goesOn }) };
}
