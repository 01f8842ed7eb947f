import { RequestError } from '../../kernel/errors.ts';
import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import { PullEvents } from './pull/pull-events.ts';
import { PULL_PAUSED_PREFIX, PULL_PREFIX, storedPosition } from './pull/pull-ledger.ts';
import type { PullPlan } from './pull/pull-plan.ts';
import { DeliveryPuller, type PullCounts, type PullDoors, type PullStatus } from './workers/delivery-puller.ts';

/** One hook as `ps` and the admin routes show it. */
export interface PullView extends Readonly<PullCounts> {
  readonly name: string;
  /** Absent: it left the file. */
  readonly route?: string;
  readonly hook: string;
  readonly state: PullStatus['state'] | 'paused' | 'stopped';
  readonly managed: 'file' | 'unmanaged';
  readonly problem?: string;
  readonly missed: number;
  /** ISO times: of the last look, and of what is settled. */
  readonly lookedAt?: string;
  readonly settledTo?: string;
}

interface Entry {
  readonly plan: PullPlan;
  readonly counts: PullCounts;
  readonly events: PullEvents;
  /** Absent while it rests. */
  puller: DeliveryPuller | undefined;
}

const NO_COUNTS: Readonly<PullCounts> = { stored: 0, repeated: 0, refused: 0, lost: 0 };

/** The hooks of the file whose missed deliveries are fetched, each with its puller. */
export class Pulls {
  readonly #doors: PullDoors;
  readonly #entries = new Map<string, Entry>();
  readonly #changes = new OneAtATime();

  constructor(doors: PullDoors) {
    this.#doors = doors;
  }

  /** Pulls these from now on. */
  async apply(plans: readonly PullPlan[]): Promise<void> {
    await this.#changes.run(async () => {
      for (const entry of this.#entries.values()) {
        const same = plans.find(({ name }) => name === entry.plan.name);
        if (JSON.stringify(same) !== JSON.stringify(entry.plan)) await this.#remove(entry);
      }
      for (const plan of plans) if (!this.#entries.has(plan.name)) this.#add(plan);
    });
  }

  /** Hooks by name: those of the file, then those whose position is kept though they left it. */
  list(): readonly PullView[] {
    const names = this.#doors.catalog.list(PULL_PREFIX).map(({ key }) => key.slice(PULL_PREFIX.length));
    const gone = names.filter((name) => !this.#entries.has(name));
    return [
      ...[...this.#entries.values()].map((entry) => this.#view(entry)),
      ...gone.map((name) => this.#goneView(name)),
    ];
  }

  /** RequestError NotFound. */
  get(name: string): PullView {
    const view = this.list().find((one) => one.name === name);
    if (view === undefined) throw missing(name);
    return view;
  }

  /** Fetches nothing more until `resume`, also over restarts. */
  async pause(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const entry = this.#entry(name);
      await this.#doors.catalog.propose([{ key: PULL_PAUSED_PREFIX + name, put: true }]);
      await entry.puller?.stop();
      entry.puller = undefined;
      entry.events.paused(true);
    });
  }

  /** Goes on where it stopped. */
  async resume(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const entry = this.#entry(name);
      if (this.#isPaused(name)) await this.#doors.catalog.propose([{ key: PULL_PAUSED_PREFIX + name, remove: true }]);
      else if (entry.puller?.hasEnded !== true) return;
      entry.puller = this.#start(entry);
      entry.events.paused(false);
    });
  }

  /** Looks at once; a hook that rests goes on resting. */
  look(name: string): void {
    this.#entry(name).puller?.look();
  }

  problems(): readonly string[] {
    return [...this.#entries.values()].flatMap(({ plan, puller }) => {
      const problem = puller?.problem();
      return problem === undefined ? [] : [`gateway: the hook ${plan.name} is not looked through: ${problem}`];
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({ puller }) => await puller?.stop()));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw missing(name);
    return entry;
  }

  #isPaused(name: string): boolean {
    return this.#doors.catalog.get(PULL_PAUSED_PREFIX + name) !== undefined;
  }

  #add(plan: PullPlan): void {
    const events = new PullEvents(plan.name, this.#doors.served.environment);
    const entry: Entry = { plan, counts: { ...NO_COUNTS }, events, puller: undefined };
    this.#entries.set(plan.name, entry);
    if (!this.#isPaused(plan.name)) entry.puller = this.#start(entry);
  }

  async #remove(entry: Entry): Promise<void> {
    this.#entries.delete(entry.plan.name);
    await entry.puller?.stop();
    entry.events.gone();
  }

  #start({ plan, counts, events }: Entry): DeliveryPuller {
    const puller = new DeliveryPuller(plan, this.#doors, counts, events);
    puller.start();
    return puller;
  }

  #view({ plan, counts, puller }: Entry): PullView {
    const { name, route, hook } = plan;
    const { state = 'paused', missed = 0, problem, lookedAt, settledTo } = puller?.status() ?? {};
    return {
      name,
      route,
      hook,
      state,
      managed: 'file',
      ...(problem !== undefined && { problem }),
      missed,
      ...(lookedAt !== undefined && { lookedAt: new Date(lookedAt).toISOString() }),
      ...(settledTo !== undefined && { settledTo: new Date(settledTo).toISOString() }),
      ...counts,
    };
  }

  #goneView(name: string): PullView {
    const { hook = '', settledTo } = storedPosition(this.#doors.catalog, name) ?? {};
    return {
      name,
      hook,
      state: 'stopped',
      managed: 'unmanaged',
      missed: 0,
      ...(settledTo !== undefined && { settledTo: new Date(settledTo).toISOString() }),
      ...NO_COUNTS,
    };
  }
}

function missing(name: string): RequestError {
  return new RequestError('NotFound', `no hook ${name} is pulled`, 404);
}
