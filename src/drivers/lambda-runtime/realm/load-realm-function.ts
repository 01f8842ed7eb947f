import type { RealmRequest } from '../../../ports/realm-webhook.ts';
import { awsService } from './aws-service.ts';
import { bsonGlobals } from './bson-globals.ts';
import { knownMembers } from './known-members.ts';
import { LoadError } from '../bootstraps/load-handler.ts';
import { MongodbConnection, mongodbService } from './mongodb-service.ts';
import { findPackages, MISSING_DRIVER, type RealmPackages } from './packages.ts';
import { Pending } from './pending.ts';
import { realmContext } from './realm-context.ts';
import { RealmCode, type RealmGlobals } from './realm-code.ts';
import { readSettings, type RealmSettings } from './realm-settings.ts';
import { withRequests } from './started-requests.ts';
import { payloadOf, WebhookResponse, webhookRequest } from './webhook.ts';

/** Where a function is and what it may see. */
export interface RealmPlace {
  readonly codeDirectory: string;
  /** `file.exports`, or the file's name alone. */
  readonly handler: string;
  /** The environment of the process. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** A function that is ready to be called. */
export interface LoadedFunction {
  /** What the event comes to, as plain JSON; rejects with what the function throws. */
  run(event: unknown): Promise<unknown>;
  /** Closes its connections. */
  close(): Promise<void>;
}

/** Reads and compiles the function. Throws LoadError when it, its settings or the driver's package are not there. */
export function loadRealmFunction({ codeDirectory, handler, variables }: RealmPlace): LoadedFunction {
  const packages = findPackages(codeDirectory);
  if (packages === undefined) throw new LoadError('Runtime.ImportModuleError', MISSING_DRIVER);
  const code = new RealmCode(codeDirectory);
  const name = handler.replace(/\.(exports|handler|js)$/, '');
  code.compile(name);
  const settings = readSettings(variables);
  const connections = connect(settings, packages);
  const { BSON, EJSON } = bsonGlobals(packages);
  const utils = knownMembers({}, 'utils');
  const world: World = { code, packages, settings, connections, variables, globals: { BSON, EJSON, utils } };
  return {
    run: async (event) => await run(world, name, event),
    async close() {
      for (const connection of connections.values()) await connection.close();
    },
  };
}

interface World {
  readonly code: RealmCode;
  readonly packages: RealmPackages;
  readonly settings: RealmSettings;
  readonly connections: ReadonlyMap<string, MongodbConnection>;
  readonly variables: RealmPlace['variables'];
  readonly globals: Omit<RealmGlobals, 'context'>;
}

function connect({ services }: RealmSettings, packages: RealmPackages): ReadonlyMap<string, MongodbConnection> {
  const found = new Map<string, MongodbConnection>();
  for (const [name, service] of Object.entries(services)) {
    if (service.kind === 'mongodb') found.set(name, new MongodbConnection(service.uri, packages));
  }
  return found;
}

/** The answer waits for what the function returned, then for what it started; its timeout is the bound of both. */
async function run(world: World, name: string, given: unknown): Promise<unknown> {
  const { EJSON } = world.packages.bson;
  const event: unknown = EJSON.deserialize(given as object, { relaxed: true });
  const request = webhookRequest(event);
  const pending = new Pending();
  const globals: RealmGlobals = { ...world.globals, context: contextOf(world, request, pending) };
  const call = async (...values: unknown[]): Promise<unknown> =>
    await withRequests(pending, () => world.code.load(name, globals)(...values));
  if (request === undefined) {
    const value = await call(event);
    await pending.settled();
    return value === undefined ? null : plain(value);
  }
  const response = new WebhookResponse();
  const value = await call(payloadOf(request, world.packages), response.face);
  await pending.settled();
  return response.answer(value, (result) => JSON.stringify(plain(result)));

  function plain(value: unknown): unknown {
    return EJSON.serialize({ value }, { relaxed: true })['value'];
  }
}

function contextOf(world: World, request: RealmRequest | undefined, pending: Pending): object {
  const { code, packages, settings, connections, variables } = world;
  const context: object = realmContext({
    values: settings.values,
    packages,
    request,
    service(name) {
      const service = Object.hasOwn(settings.services, name) ? settings.services[name] : undefined;
      const connection = connections.get(name);
      if (connection !== undefined) return mongodbService(name, connection, pending);
      if (service?.kind !== 'kinesis') return undefined;
      return awsService(name, { packages, pending, variables, region: service.region });
    },
    execute(name, values) {
      const result = code.load(name, { ...world.globals, context })(...values);
      return result instanceof Promise ? pending.track(result) : result;
    },
  });
  return context;
}
