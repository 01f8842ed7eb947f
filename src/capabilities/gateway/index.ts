import { RequestError } from '../../kernel/errors.ts';
import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import type { AdminRoute, Capability, Doors, Running } from '../../ports/capability.ts';
import type { HttpRequest } from '../../ports/http.ts';
import type { Environment } from '../../ports/environment.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { gatewayOptions, requestLogOptions, type GatewayOptions } from './config.ts';
import { createRoutes, readLimit } from './create-routes.ts';
import { GatewayEvents } from './events.ts';
import { gatewayNotes } from './gateway-notes.ts';
import { createHandler, type Served } from './handler.ts';
import type { TokenBucket } from '../../kernel/flow/token-bucket.ts';
import { DedupeModel } from './model.ts';
import { pullPlans, pullProblems } from './pull/pull-plan.ts';
import { pullRoutes } from './pull-routes.ts';
import { Pulls } from './pulls.ts';
import type { Receiver } from './operations/receive-webhook.ts';
import { askedUrlProblems, routeProblems } from './route-problems.ts';
import { RouteTable } from './route-table.ts';
import type { Route, StreamRoute } from './route.ts';
import { requestRoutes } from './request-routes.ts';
import { redeliveryTargets, targetProblems, type RedeliveryTarget } from './redelivery-target.ts';
import { RequestReader } from './request-log/request-reader.ts';
import { schemaProblems } from './schema-file.ts';
import { DedupeCheckpoint } from './workers/dedupe-checkpoint.ts';
import { RequestLog } from './workers/request-log.ts';

const DRAIN_LOOK_MS = 5;

/**
 * Webhooks in: verified on their raw bytes, kept once per delivery id, answered once durable. These destinations may
 * take requests of Firehose.
 */
export function createGateway(
  destinations: readonly AnyDestination[],
): Capability<ReturnType<typeof gatewayOptions>, undefined> {
  return {
    name: 'gateway',
    section: 'gateway',
    options: gatewayOptions(destinations),
    operations: [],
    problems: (options, mode, urls) => sectionProblems(options, { mode, destinations, urls }),
    fileProblems: schemaProblems,
    notes: async (options, doors) => gatewayNotes(options, doors),
    async start(options, doors, environment) {
      const running = new RunningGateway(doors, environment);
      await running.take(options);
      running.run();
      return running;
    },
  };
}

/** What the shape of the section alone cannot say. */
function sectionProblems(
  options: GatewayOptions | undefined,
  { mode, destinations, urls }: Pick<Doors, 'mode' | 'destinations'> & { readonly urls: UrlRules },
): readonly SectionProblem[] {
  return [
    ...routeProblems(options, mode, destinations),
    ...askedUrlProblems(options, urls),
    ...pullProblems(options, urls),
    ...targetProblems(options?.redeliverTo, urls),
  ];
}

class RunningGateway implements Running<undefined> {
  readonly state = undefined;
  readonly gateway;
  readonly admin: readonly AdminRoute[];
  readonly #doors: Doors;
  readonly #receiver: Receiver;
  readonly #events: GatewayEvents;
  readonly #checkpoint: DedupeCheckpoint;
  readonly #pulls: Pulls;
  readonly #log: RequestLog;
  readonly #changes = new OneAtATime();
  #routes = new RouteTable([]);
  #limit: TokenBucket | undefined;
  #targets: ReadonlyMap<string, RedeliveryTarget> = new Map();
  #running = 0;
  #isDraining = false;

  constructor(doors: Doors, environment: Environment) {
    this.#doors = doors;
    this.#receiver = { records: doors.records, dedupe: new DedupeModel(), environment };
    this.#events = new GatewayEvents(environment);
    this.#checkpoint = new DedupeCheckpoint(this.#receiver, this.#events);
    this.#log = new RequestLog(doors.records, environment, this.#events);
    const served: Served = {
      ...doors,
      ...this.#receiver,
      events: this.#events,
      routes: () => this.#routes,
      limit: () => this.#limit,
      isReady: (route) => !this.#isDraining && this.#isKnown(route),
      noteStored: () => this.#checkpoint.noteStored(),
      observe: (answered) => this.#log.note(answered),
    };
    const handle = createHandler(served);
    const reader = new RequestReader(doors.records, environment);
    this.#pulls = new Pulls({ served, http: doors.http, catalog: doors.catalog });
    this.gateway = async (request: HttpRequest) => {
      this.#running += 1;
      try {
        return await handle(request);
      } finally {
        this.#running -= 1;
      }
    };
    this.admin = [
      {
        method: 'GET',
        path: '/admin/routes',
        doc: 'Webhook routes with what came in by them since the start.',
        handle: async () => ({ routes: this.#describe() }),
      },
      ...pullRoutes(this.#pulls),
      ...requestRoutes({
        reader,
        served,
        handle: this.gateway,
        http: doors.http,
        targets: () => this.#targets,
        flush: async () => await this.#log.flush(),
      }),
    ];
  }

  run(): void {
    this.#checkpoint.start();
  }

  /** Serves these routes from now on; rejects with RequestError and keeps the earlier ones when they are wrong. */
  async take(options: GatewayOptions | undefined): Promise<void> {
    const { mode, destinations, http } = this.#doors;
    const problems = sectionProblems(options, { mode, destinations, urls: http });
    if (problems.length > 0) {
      const lines = problems.map(({ path, message }) => `gateway.${path.join('.')}: ${message}`);
      throw new RequestError('InvalidConfig', lines.join('\n'));
    }
    const routes = await createRoutes(options, { ...this.#doors, environment: this.#receiver.environment });
    await this.#changes.run(async () => {
      await this.#checkpoint.prepare(routes.filter(isToStream));
      this.#routes = new RouteTable(routes);
      this.#limit = readLimit(options?.limit);
      this.#log.use(requestLogOptions(options?.requestLog));
      this.#targets = redeliveryTargets(options?.redeliverTo);
      await this.#pulls.apply(pullPlans(options));
    });
    for (const route of routes) this.#warn(route);
  }

  #warn(route: Route): void {
    const { key, verifier, authorizer, isAllowedFrom } = route;
    const { records, functions } = this.#doors;
    const isVerified = verifier.kind !== 'none' || isAllowedFrom !== undefined || authorizer !== undefined;
    if (!isVerified) this.#events.unverifiedRoute(key);
    for (const name of streamsOf(route))
      if (records.describe(name) === undefined) this.#events.missingStream(key, name);
    for (const name of functionsOf(route)) if (!functions.has(name)) this.#events.missingFunction(key, name);
  }

  #isKnown(route: Route): boolean {
    return !isToStream(route) || this.#checkpoint.isReady(route);
  }

  async reload(options: unknown): Promise<void> {
    // The config reader checked it against this capability's own declaration.
    await this.take(options as GatewayOptions | undefined);
  }

  health(): { ok: boolean; problems: readonly string[] } {
    const { records, functions } = this.#doors;
    const problems = this.#routes.all.flatMap((route) => {
      const streams = streamsOf(route).filter((name) => records.describe(name) === undefined);
      const missing = functionsOf(route).filter((name) => !functions.has(name));
      const isKnown = streams.length > 0 || this.#isKnown(route);
      return [
        ...streams.map((name) => `gateway: ${route.key} writes to the stream ${name}, which does not exist`),
        ...missing.map((name) => `gateway: ${route.key} calls the function ${name}, which does not exist`),
        ...(isKnown ? [] : [`gateway: the delivery ids of ${route.key} are not loaded yet`]),
      ];
    });
    problems.push(...this.#pulls.problems());
    return { ok: problems.length === 0, problems };
  }

  async drain(withinMs: number): Promise<void> {
    this.#isDraining = true;
    const { clock } = this.#receiver.environment;
    const end = clock.monotonic() + withinMs;
    await Promise.race([this.#pulls.stop(), clock.sleep(withinMs)]);
    while (this.#isBusy() && clock.monotonic() < end) await clock.sleep(DRAIN_LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    await this.#pulls.stop();
    await this.#log.stop();
    await this.#checkpoint.stop();
  }

  #isBusy(): boolean {
    if (this.#running > 0) return true;
    return Array.from(this.#receiver.dedupe.lanes.values()).some(({ length }) => length > 0);
  }

  #describe(): readonly unknown[] {
    const now = this.#receiver.environment.clock.now();
    return this.#routes.all.map((route) => {
      const { key, method, path } = route;
      const window = this.#receiver.dedupe.windows.get(key);
      const known = window === undefined ? {} : { ids: window.size, windowMs: window.realWindowMs(now) };
      const parts = { key, method, path: path.text, verify: verifyOf(route), ...targetOf(route) };
      return { ...parts, ...this.#events.counts(key), ...known };
    });
  }
}

/** As the file calls it: addresses alone are a way, too. */
function verifyOf({ verifier, isAllowedFrom }: Route): string {
  return verifier.kind === 'none' && isAllowedFrom !== undefined ? 'ip' : verifier.kind;
}

function targetOf({ stream, call, destination }: Route): Readonly<Record<string, string>> {
  if (stream !== undefined) return { stream };
  if (call !== undefined) return { function: call.function, event: call.form.name };
  return { destination: destination.kind.name };
}

function isToStream(route: Route): route is StreamRoute {
  return route.stream !== undefined;
}

function streamsOf(route: Route): readonly string[] {
  return [route.stream, route.quarantine].filter((name) => name !== undefined);
}

function functionsOf({ call, authorizer }: Route): readonly string[] {
  return [call?.function, authorizer?.spec.function].filter((name) => name !== undefined);
}
