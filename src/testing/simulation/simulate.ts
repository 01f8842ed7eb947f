import { createHash } from 'node:crypto';
import { SimulatedCrash, Simulation } from '../../environments/simulated/index.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Functions } from '../../ports/functions.ts';
import { Unavailable } from '../../ports/stream-store.ts';
import { promised } from './broken-promise.ts';
import { act } from './act.ts';
import { flush, flushHandler, settleDeliveries } from './delivery-actions.ts';
import { flushFailing } from './failing-actions.ts';
import { Life } from './life.ts';
import { lookAtStream } from './look-at-stream.ts';
import { Machine } from './machine-actions.ts';
import { Oracle } from './oracle.ts';
import {
  MACHINE,
  type ClientAction,
  type LifeEnd,
  type MachineAction,
  type NodeShape,
  type Plan,
  type Step,
} from './plan.ts';
import { Room } from './room.ts';
import { ScriptedDestination } from './scripted-destination.ts';
import { ScriptedFunction } from './scripted-function.ts';
import { SHAPER, ScriptedShaper } from './scripted-shaper.ts';
import { flushShaped } from './shaping-actions.ts';
import { SimulatedNode } from './simulated-node.ts';
import { settled, settleStreams } from './stream-actions.ts';
import { postHook } from './webhook-actions.ts';

/** Virtual time after which a life that does not come to its end hangs, ms. */
const LIFE_MS_MAX = 1_800_000;
/** With `interval`, what was told so long ago survives a power cut: the interval of 100 ms, and what a disk takes. */
const INTERVAL_MS_MAX = 200;

/** What the log says of itself that the tally counts. */
const NOTED_LINES: Readonly<Record<string, string>> = {
  'log.tail.cut': 'a torn tail is cut off',
  'log.settled': 'files are settled',
  'log.segment.deleted': 'a file that nobody needs is removed',
  'log.full': 'the log finds the disk full',
  'log.writable': 'the log finds room on the disk again',
  'log.space.low': 'the log takes 85 % of what it may',
};

/** What a run came to. */
export interface SimulationResult {
  readonly lives: number;
  readonly crashes: number;
  /** Lives that ended because the disk failed. */
  readonly failures: number;
  /** 1: turned bits made the node refuse its last start. */
  readonly refused: number;
  readonly acknowledged: number;
  /** Records that power cuts may have taken after they were answered: none with `always`. */
  readonly doubted: number;
  readonly objects: number;
  /** Records that subscribers were sent. */
  readonly followed: number;
  /** Shards that subscribers followed to their end. */
  readonly ends: number;
  /** Records that the function took. */
  readonly handed: number;
  /** Records that arrived at the destination that fails, how often once more, and those with a line about them. */
  readonly arrived: number;
  readonly repeated: number;
  readonly lines: number;
  /** Records that a function processed. */
  readonly processed: number;
  /** How often what can go wrong, and what a node does about it, has happened. */
  readonly met: Readonly<Record<string, number>>;
  /** A hash over everything the run did: the same for the same plan. */
  readonly trace: string;
}

/** Something to break on purpose, to see whether the simulation notices. */
export interface Sabotage {
  /** What the node gets in place of its environment. */
  readonly environment?: (environment: Environment) => Environment;
  /** Done before each start. */
  readonly beforeStart?: (environment: Environment) => Promise<void>;
}

/** The log failed, or the start did: what the program does then is to end. */
class NodeFailed extends Error {
  override readonly name = 'NodeFailed';
}

/** One life of a plan. */
interface PlannedLife {
  readonly machine: readonly (Step & MachineAction)[];
  readonly clients: ReadonlyMap<string, readonly (Step & ClientAction)[]>;
  readonly end: LifeEnd;
}

/**
 * Runs a node through the lives of a plan and a last one in which nothing fails: whatever it told anybody must be so.
 * Rejects with BrokenPromise, or with what else ended the run.
 */
export async function simulate(plan: Plan, sabotage: Sabotage = {}): Promise<SimulationResult> {
  return await new Run(plan, sabotage).run();
}

class Run {
  readonly #simulation: Simulation;
  readonly #oracle: Oracle;
  readonly #machine: Machine;
  readonly #room: Room;
  readonly #function: ScriptedFunction;
  readonly #shaper: ScriptedShaper;
  readonly #destination: ScriptedDestination;
  readonly #plan: Plan;
  readonly #sabotage: Sabotage;
  /** Ends the life: the function was told something that cannot be. */
  #breaks: (error: Error) => void = () => undefined;
  #life = 0;
  #crashes = 0;
  #failures = 0;
  #lastFailure = '';
  #doubted = 0;
  /** Starts that power cuts have ended since the last one that came to its end. */
  #cutStarts = 0;
  #isStarting = false;
  /** All that was told before survives a power cut, in virtual ms. */
  #durableAt = 0;
  #lifeBeganAt = 0;

  constructor(plan: Plan, sabotage: Sabotage) {
    this.#plan = plan;
    this.#sabotage = sabotage;
    this.#simulation = new Simulation(plan.seed);
    this.#oracle = new Oracle(this.#simulation.wallNow);
    const { handler, failing, shaping } = this.#oracle;
    const breaks = (error: Error): void => this.#breaks(error);
    this.#function = new ScriptedFunction(this.#simulation, handler, plan.seed, breaks);
    this.#shaper = new ScriptedShaper(this.#simulation, shaping, plan.seed, breaks);
    this.#destination = new ScriptedDestination(this.#simulation, failing, plan.seed, breaks);
    this.#machine = new Machine(this.#simulation, this.#oracle);
    this.#room = new Room(this.#simulation, plan.node);
  }

  async run(): Promise<SimulationResult> {
    for (const life of livesOf(this.#plan.steps)) {
      this.#lifeBeganAt = this.#simulation.now;
      this.#machine.begins();
      await this.#live(async (fails) => await this.#work(life, fails));
      this.#noteTimely();
      if (life.end.power) this.#cutPower();
      else this.#simulation.kill();
      this.#simulation.restart();
      this.#life += 1;
    }
    this.#machine.mends();
    this.#function.isWell = true;
    this.#shaper.isWell = true;
    this.#destination.isWell = true;
    const failures = this.#failures;
    await this.#live(async (fails) => await this.#settle(await this.#open(fails, withoutBound(this.#plan.node))));
    const isRefused = failures < this.#failures;
    // A command of the catalog whose copy is damaged, too, or was not written yet.
    const isExcused = this.#oracle.flips > 0 && this.#lastFailure.startsWith('the log is damaged');
    promised(isExcused || !isRefused, `the node fails, and nothing is wrong with the disk: ${this.#lastFailure}`);
    return this.#result(isRefused);
  }

  get #functions(): Functions {
    const of = (name: string): Functions => (name === SHAPER ? this.#shaper : this.#function);
    return {
      has: (name) => of(name).has(name),
      invoke: async (name, event, options) => await of(name).invoke(name, event, options),
    };
  }

  #cutPower(): void {
    this.#simulation.crash();
    this.#noteCut();
  }

  /** What clients were told before a sync may be gone where answers do not wait for one. */
  #noteCut(): void {
    if ((this.#plan.node.sync ?? 'always') === 'always') return;
    this.#noteTimely();
    this.#doubted += this.#oracle.mayLose(this.#durableAt, this.#simulation.now);
  }

  /**
   * What was told long enough before a life ends was synced, if the disk was prompt. Before a start has synced what it
   * found that is no more than what was in the life before.
   */
  #noteTimely(): void {
    const hasStarted = this.#durableAt >= this.#lifeBeganAt;
    if (this.#plan.node.sync !== 'interval' || !hasStarted || !this.#machine.isPrompt) return;
    this.#durableAt = Math.max(this.#durableAt, this.#simulation.now - INTERVAL_MS_MAX);
  }

  #noteDurable(): void {
    this.#durableAt = this.#simulation.now;
    this.#oracle.isDurable();
  }

  /** Lets one life go on until it ends well, by a power cut, or by a failure that the machine is guilty of. */
  async #live(work: (fails: (error: Error) => void) => Promise<void>): Promise<void> {
    let fail: (error: Error) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = (error) => reject(new NodeFailed(error.message, { cause: error }));
      this.#breaks = reject;
    });
    this.#oracle.handler.begins();
    try {
      await this.#simulation.drive(Promise.race([work(fail), failed]), LIFE_MS_MAX);
    } catch (error) {
      if (error instanceof SimulatedCrash) {
        this.#crashes += 1;
        this.#noteCutStart();
        this.#noteCut();
      } else if (error instanceof NodeFailed && this.#machine.isTroubled) this.#noteFailure(error);
      else throw error;
    }
  }

  #noteCutStart(): void {
    if (!this.#isStarting) return;
    this.#cutStarts += 1;
    const { tally } = this.#simulation;
    tally.note(this.#cutStarts > 1 ? 'the power goes in one start after the other' : 'the power goes in a start');
  }

  #noteFailure(error: NodeFailed): void {
    this.#failures += 1;
    this.#lastFailure = error.message;
  }

  async #work({ machine, clients, end }: PlannedLife, fails: (error: Error) => void): Promise<void> {
    // The machine waits for nobody: it fails during the start, too.
    const happening = this.#each(machine, async (step) => await this.#machine.does(step));
    const life = await this.#open(fails);
    await settleStreams(life);
    await settleDeliveries(life);
    const working = Array.from(clients.values(), async (steps) => {
      await this.#each(steps, async (step) => await act(life, step));
    });
    await Promise.all([happening, ...working]);
    if (!end.close) return;
    await life.node.close();
    this.#noteDurable();
  }

  async #each<S extends Step>(steps: readonly S[], act: (step: S) => Promise<void>): Promise<void> {
    const { clock } = this.#simulation.environment;
    for (const step of steps) {
      if (step.pauseMs > 0) await clock.sleep(step.pauseMs);
      await act(step);
    }
  }

  async #open(fails: (error: Error) => void, shape: NodeShape = this.#plan.node): Promise<Life> {
    const simulation = this.#simulation;
    const { environment: changed = (same) => same, beforeStart = async () => undefined } = this.#sabotage;
    const environment = changed(simulation.environment);
    this.#isStarting = true;
    try {
      await beforeStart(environment);
      const node = await SimulatedNode.open(environment, shape, fails, {
        functions: this.#functions,
        destinations: [this.#destination.fake.kind],
      });
      this.#isStarting = false;
      this.#cutStarts = 0;
      // A start makes all that it finds durable before it shows it, but not what it changes itself.
      this.#noteDurable();
      return new Life({
        simulation,
        node,
        oracle: this.#oracle,
        shape: this.#plan.node,
        room: this.#room,
        number: this.#life,
        isTroubled: () => this.#machine.isTroubled,
        isOnlyDamaged: () => this.#oracle.flips > 0 && !this.#machine.hasFaults,
      });
    } catch (error) {
      // A start on a disk that fails ends the program with a message.
      const isDisk = error instanceof EnvironmentError || error instanceof Unavailable;
      throw isDisk ? new NodeFailed(error.message, { cause: error }) : error;
    }
  }

  /** Nothing fails any more: everything is there, and arrives. */
  async #settle(life: Life): Promise<void> {
    const { oracle } = life;
    await settleStreams(life);
    await settleDeliveries(life);
    await this.#look(life);
    for (const id of oracle.hookIds) promised(await postHook(life, id), `the repeated id ${id} got no answer`);
    await this.#look(life);
    for (const delivery of ['archive', 'direct', 'extra'] as const) {
      const isThere = delivery !== 'extra' || oracle.extra.presence === 'there';
      promised(
        !isThere || oracle.flips > 0 || (await flush(life, { do: 'flush', delivery })),
        `${delivery} was not flushed`,
      );
    }
    const hasHandler = this.#plan.node.handler !== undefined;
    promised(!hasHandler || oracle.flips > 0 || (await flushHandler(life)), 'the function did not take all there is');
    const hasFailing = this.#plan.node.failing !== undefined;
    promised(!hasFailing || oracle.flips > 0 || (await flushFailing(life)), 'failing was not flushed');
    const hasShaped = this.#plan.node.shaping !== undefined;
    promised(!hasShaped || oracle.flips > 0 || (await flushShaped(life)), 'shaped was not flushed');
    await checkStream(life, 'main');
    if (oracle.side.presence === 'there') await checkStream(life, 'side');
    this.#checkHealth(life);
    await life.node.close();
  }

  #checkHealth({ node, oracle, now }: Life): void {
    const isOvertaken = oracle.wall.stepped(0, now);
    // A clock that was set forward ends the time of what was not delivered yet, and health says so.
    if (oracle.flips > 0) {
      const isSaid = node.health.problems.length > 0 || !oracle.isDamaged(now);
      return promised(isSaid, 'records cannot be read, and the node holds itself for healthy');
    }
    const problems = node.health.problems.filter((problem) => !isOvertaken || !problem.includes('were gone before'));
    promised(problems.length === 0, `not healthy: ${problems.join('; ')}`);
  }

  async #look(life: Life): Promise<void> {
    for (const name of ['main', 'side'] as const) {
      const isRead = await lookAtStream(life, name);
      promised(isRead || life.isOnlyDamaged(), `${name} cannot be read`);
    }
  }

  #result(isRefused: boolean): SimulationResult {
    const { now, fileOperations, logged, tally } = this.#simulation;
    for (const { event } of logged) if (NOTED_LINES[event] !== undefined) tally.note(NOTED_LINES[event]);
    const lines = logged.map(({ event, fields }) => `${event} ${JSON.stringify(fields)}`);
    const trace = createHash('sha256')
      .update(`${now} ${fileOperations}\n${lines.join('\n')}`)
      .digest('hex');
    const { acknowledged, objects, followed, ends } = this.#oracle;
    return {
      lives: this.#life + 1,
      crashes: this.#crashes,
      failures: this.#failures,
      refused: isRefused ? 1 : 0,
      acknowledged,
      doubted: this.#doubted,
      objects,
      followed,
      ends,
      handed: this.#oracle.handler.taken,
      arrived: this.#oracle.failing.arrived,
      repeated: this.#oracle.failing.repeated,
      lines: this.#oracle.failing.failed,
      processed: this.#oracle.shaping.answered,
      met: tally.counts,
      trace,
    };
  }
}

/** Whoever runs it gives it more room in the end. */
function withoutBound(node: NodeShape): NodeShape {
  return node.diskBytesMax === undefined ? node : { ...node, diskBytesMax: Number.MAX_SAFE_INTEGER };
}

/** No reshard is left half done. */
async function checkStream(life: Life, name: string): Promise<void> {
  const { status, openShards } = (await settled(life, name)) ?? { status: 'gone', openShards: 0 };
  promised(status === 'ACTIVE' && openShards > 0, `${name} is ${status}, with ${openShards} open shards`);
}

/** Steps up to an end are one life; those behind the last end are one, too. */
function livesOf(steps: readonly Step[]): PlannedLife[] {
  const lives: PlannedLife[] = [];
  let machine: (Step & MachineAction)[] = [];
  let clients = new Map<string, (Step & ClientAction)[]>();
  const end = (how: LifeEnd): void => {
    lives.push({ machine, clients, end: how });
    machine = [];
    clients = new Map();
  };
  for (const step of steps) {
    if (step.do === 'end') end(step);
    else if (step.client === MACHINE) machine.push(step as Step & MachineAction);
    else clients.set(step.client, [...(clients.get(step.client) ?? []), step as Step & ClientAction]);
  }
  if (machine.length > 0 || clients.size > 0) end({ do: 'end', close: true, power: false });
  return lives;
}
