import { RequestError } from '../../kernel/errors.ts';
import type { AdminRoute, Capability, Doors, Running } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import { gatewayOptions } from './config.ts';
import { GatewayEvents } from './events.ts';
import { gatewayNotes } from './gateway-notes.ts';
import { createHandler } from './handler.ts';
import { DedupeModel } from './model.ts';
import type { Receiver } from './operations/receive-webhook.ts';
import { readRoutes, type GatewayOptions, type Route } from './routes.ts';
import { DedupeCheckpoint } from './workers/dedupe-checkpoint.ts';

const DRAIN_LOOK_MS = 5;

/** Webhooks in: verified on their raw bytes, kept once per delivery id, answered once durable. */
export const gateway: Capability<typeof gatewayOptions, undefined> = {
  name: 'gateway',
  section: 'gateway',
  options: gatewayOptions,
  operations: [],
  problems: (options, mode) => readRoutes(options, mode).problems,
  notes: async (options, doors) => gatewayNotes(options, doors),
  async start(options, doors, environment) {
    const running = new RunningGateway(doors, environment);
    await running.take(options);
    running.run();
    return running;
  },
};

class RunningGateway implements Running<undefined> {
  readonly state = undefined;
  readonly gateway;
  readonly admin: readonly AdminRoute[];
  readonly #doors: Doors;
  readonly #receiver: Receiver;
  readonly #events: GatewayEvents;
  readonly #checkpoint: DedupeCheckpoint;
  #routes: ReadonlyMap<string, Route> = new Map();
  #isDraining = false;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(doors: Doors, environment: Environment) {
    this.#doors = doors;
    this.#receiver = { records: doors.records, dedupe: new DedupeModel(), environment };
    this.#events = new GatewayEvents(environment);
    this.#checkpoint = new DedupeCheckpoint(this.#receiver, this.#events);
    this.gateway = createHandler({
      ...this.#receiver,
      events: this.#events,
      routes: () => this.#routes,
      isReady: (route) => !this.#isDraining && this.#checkpoint.isReady(route),
      noteStored: () => this.#checkpoint.noteStored(),
    });
    this.admin = [
      {
        method: 'GET',
        path: '/admin/routes',
        doc: 'Webhook routes with what came in by them since the start.',
        handle: async () => ({ routes: this.#describe() }),
      },
    ];
  }

  run(): void {
    this.#checkpoint.start();
  }

  /** Serves these routes from now on; rejects with RequestError and keeps the earlier ones when they are wrong. */
  async take(options: GatewayOptions | undefined): Promise<void> {
    const { routes, problems } = readRoutes(options, this.#doors.mode);
    if (problems.length > 0) {
      const lines = problems.map(({ path, message }) => `gateway.${path.join('.')}: ${message}`);
      throw new RequestError('InvalidConfig', lines.join('\n'));
    }
    const mine = this.#taking.then(async () => {
      await this.#checkpoint.prepare([...routes.values()]);
      this.#routes = routes;
    });
    this.#taking = mine.catch(() => undefined);
    await mine;
    for (const { key, verifier, stream } of routes.values()) {
      if (verifier.kind === 'none') this.#events.unverifiedRoute(key);
      if (this.#doors.records.describe(stream) === undefined) this.#events.missingStream(key, stream);
    }
  }

  async reload(options: unknown): Promise<void> {
    // The config reader checked it against this capability's own declaration.
    await this.take(options as GatewayOptions | undefined);
  }

  health(): { ok: boolean; problems: readonly string[] } {
    const problems = Array.from(this.#routes.values()).flatMap((route) => {
      if (this.#doors.records.describe(route.stream) === undefined) {
        return [`gateway: ${route.key} writes to the stream ${route.stream}, which does not exist`];
      }
      return this.#checkpoint.isReady(route) ? [] : [`gateway: the delivery ids of ${route.key} are not loaded yet`];
    });
    return { ok: problems.length === 0, problems };
  }

  async drain(withinMs: number): Promise<void> {
    this.#isDraining = true;
    const { clock } = this.#receiver.environment;
    const end = clock.monotonic() + withinMs;
    while (this.#isBusy() && clock.monotonic() < end) await clock.sleep(DRAIN_LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    await this.#checkpoint.stop();
  }

  #isBusy(): boolean {
    return Array.from(this.#receiver.dedupe.lanes.values()).some(({ length }) => length > 0);
  }

  #describe(): readonly unknown[] {
    const now = this.#receiver.environment.clock.now();
    return Array.from(this.#routes.values(), ({ key, path, verifier, stream }) => {
      const window = this.#receiver.dedupe.windows.get(key);
      const known = window === undefined ? {} : { ids: window.size, windowMs: window.realWindowMs(now) };
      const { accepted, duplicate, refused } = this.#events.counts(key);
      return { method: 'POST', path, verify: verifier.kind, stream, accepted, duplicate, refused, ...known };
    });
  }
}
