import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import type { AnySource, OpenSource, SourceStatus } from '../../ports/source.ts';
import { ArrivalHeader } from './arrival-headers.ts';
import { comingSources, type SourceOptions, type SourcesOptions } from './config.ts';
import { ingestError } from './errors.ts';
import { IngestEvents } from './events.ts';
import { ingestLimits } from './limits.ts';
import { checkpointFromJson, NO_COUNTS, PAUSED_PREFIX, POSITION_PREFIX, type SourceCounts } from './model.ts';
import { PartitionKeys } from './partition-key.ts';
import { FunctionTarget } from './workers/function-target.ts';
import { SourceWorker } from './workers/source-worker.ts';
import { StreamTarget } from './workers/stream-target.ts';
import type { WorkerDoors } from './workers/worker-doors.ts';

/** What running the sources of the file takes. */
export interface SourcesDoors extends WorkerDoors {
  readonly kinds: readonly AnySource[];
  readonly http: HttpClient;
  readonly configFolder: string;
}

/** One source as `ps` and the admin routes show it. */
export interface SourceView extends Readonly<SourceCounts> {
  readonly name: string;
  readonly kind?: string;
  /** `problem`: it cannot work; the rest are the worker's. */
  readonly state: SourceStatus['state'] | 'starting' | 'paused' | 'problem' | 'stopped';
  readonly managed: 'file' | 'unmanaged';
  readonly to?: string;
  readonly function?: string;
  readonly problem?: string;
  readonly from?: string;
  readonly lastId?: string;
  readonly lagMs?: number;
  readonly reconnects: number;
  readonly skipped: number;
  readonly tooLarge: number;
}

interface Entry {
  readonly name: string;
  readonly kind: AnySource;
  readonly options: SourceOptions;
  readonly counts: SourceCounts;
  readonly events: IngestEvents;
  /** Absent while it rests. */
  worker: SourceWorker | undefined;
}

/** The sources of the file, each with its worker. */
export class Sources {
  readonly #doors: SourcesDoors;
  readonly #entries = new Map<string, Entry>();
  readonly #changes = new OneAtATime();
  /** What events of all sources wait in. */
  readonly #memory = new BufferPool(ingestLimits.memoryBytes, ingestLimits.memoryKeptMax);

  constructor(doors: SourcesDoors) {
    this.#doors = doors;
  }

  /** Runs these from now on. RequestError InvalidConfig when one cannot be opened: then the earlier ones stay. */
  async apply(options: SourcesOptions): Promise<void> {
    await this.#changes.run(async () => {
      for (const [name, one] of Object.entries(options)) await this.#open(name, kindOf(one, this.#doors.kinds), one);
      for (const entry of this.#entries.values()) {
        const changed = options[entry.name];
        if (changed === undefined || !isSame(changed, entry)) await this.#remove(entry);
      }
      for (const [name, one] of Object.entries(options)) if (!this.#entries.has(name)) this.#add(name, one);
    });
  }

  /** Sources by name: those of the file, then those whose position is kept though they left it. */
  list(): readonly SourceView[] {
    const names = this.#doors.catalog.list(POSITION_PREFIX).map(({ key }) => key.slice(POSITION_PREFIX.length));
    const gone = names.filter((name) => !this.#entries.has(name));
    return [
      ...[...this.#entries.values()].map((entry) => this.#view(entry)),
      ...gone.map((name) => this.#goneView(name)),
    ];
  }

  /** RequestError NotFound. */
  get(name: string): SourceView {
    const view = this.list().find((one) => one.name === name);
    if (view === undefined) throw ingestError('NotFound', `no source ${name}`);
    return view;
  }

  /** Stops reading until `resume`, also over restarts; what was read is stored. */
  async pause(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const entry = this.#entry(name);
      await this.#doors.catalog.propose([{ key: PAUSED_PREFIX + name, put: true }]);
      await entry.worker?.drain(ingestLimits.reloadDrainMs);
      entry.worker = undefined;
      entry.events.paused(true);
    });
  }

  /** Goes on where it stopped: also a source that was told that there is no more, or that a problem ended. */
  async resume(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const entry = this.#entry(name);
      if (this.#isPaused(name)) await this.#doors.catalog.propose([{ key: PAUSED_PREFIX + name, remove: true }]);
      else if (entry.worker?.hasEnded !== true) return;
      entry.worker = this.#start(entry);
      entry.events.paused(false);
    });
  }

  problems(): readonly string[] {
    return [...this.#entries.values()].flatMap(({ name, worker }) => {
      const problem = worker?.problem();
      return problem === undefined ? [] : [`source ${name}: ${problem}`];
    });
  }

  async drain(withinMs: number): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({ worker }) => await worker?.drain(withinMs)));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({ worker }) => await worker?.stop()));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw ingestError('NotFound', `the config file has no source ${name}`);
    return entry;
  }

  #isPaused(name: string): boolean {
    return this.#doors.catalog.get(PAUSED_PREFIX + name) !== undefined;
  }

  #add(name: string, options: SourceOptions): void {
    const entry: Entry = {
      name,
      kind: kindOf(options, this.#doors.kinds),
      options,
      counts: { ...NO_COUNTS },
      events: new IngestEvents(name, this.#doors.environment),
      worker: undefined,
    };
    this.#entries.set(name, entry);
    if (!this.#isPaused(name)) entry.worker = this.#start(entry);
  }

  async #remove(entry: Entry): Promise<void> {
    this.#entries.delete(entry.name);
    await entry.worker?.drain(ingestLimits.reloadDrainMs);
    entry.events.gone();
  }

  #start(entry: Entry): SourceWorker {
    const { name, options, kind, counts, events } = entry;
    const stream = options.to;
    const form = {
      keys: new PartitionKeys(options.partitionKey, this.#doors.environment.random.uuid()),
      header: new ArrivalHeader(name),
    };
    const target =
      stream === undefined
        ? new FunctionTarget(options.function ?? '', this.#doors, events, counts)
        : new StreamTarget(stream, form, this.#doors, events, counts);
    const open = async (at: string | undefined): Promise<OpenSource> => await this.#open(name, kind, options, at);
    const worker = new SourceWorker({ name, target, counts, memory: this.#memory, open }, this.#doors, events);
    worker.start();
    return worker;
  }

  async #open(name: string, kind: AnySource, options: SourceOptions, at?: string): Promise<OpenSource> {
    const { http, configFolder, environment } = this.#doors;
    // The section's declaration checked it against the kind's own.
    return await kind.open(options[kind.name] as never, at, { name, http, configFolder }, environment);
  }

  #view(entry: Entry): SourceView {
    const { name, kind, options, worker, counts } = entry;
    const status = worker?.status();
    const problem = worker?.problem();
    return {
      name,
      kind: kind.name,
      state: this.#stateOf(entry, status),
      managed: 'file',
      ...(options.to === undefined ? { function: options.function ?? '' } : { to: options.to }),
      ...((problem ?? status?.failure) !== undefined && { problem: problem ?? status?.failure ?? '' }),
      ...(status !== undefined && { from: status.from }),
      ...(status?.lastId !== undefined && { lastId: status.lastId }),
      ...(status?.lagMs !== undefined && { lagMs: status.lagMs }),
      reconnects: status?.reconnects ?? 0,
      skipped: status?.skipped ?? 0,
      tooLarge: status?.tooLarge ?? 0,
      ...counts,
    };
  }

  #stateOf({ worker, name }: Entry, status: SourceStatus | undefined): SourceView['state'] {
    if (worker === undefined) return this.#isPaused(name) ? 'paused' : 'stopped';
    if (worker.isBroken) return 'problem';
    return status?.state ?? 'starting';
  }

  #goneView(name: string): SourceView {
    const stored = this.#doors.catalog.get(POSITION_PREFIX + name);
    const stream = stored === undefined ? undefined : checkpointFromJson(stored.value).stream;
    const nothing = { reconnects: 0, skipped: 0, tooLarge: 0, ...NO_COUNTS };
    return { name, state: 'stopped', managed: 'unmanaged', ...(stream !== undefined && { to: stream }), ...nothing };
  }
}

/** The kind of source that an entry names; its section was checked to have one. */
export function kindOf(options: SourceOptions, kinds: readonly AnySource[]): AnySource {
  const kind = kinds.find(({ name }) => options[name] !== undefined);
  if (kind === undefined) throw new Error(`a source of ${[...kinds.map(({ name }) => name), ...comingSources].join()}`);
  return kind;
}

/** Options that name files may mean something else each time they are read. */
function isSame(options: SourceOptions, { options: before, kind }: Entry): boolean {
  const own = options[kind.name] as { readonly properties?: string } | undefined;
  return own?.properties === undefined && JSON.stringify(options) === JSON.stringify(before);
}
