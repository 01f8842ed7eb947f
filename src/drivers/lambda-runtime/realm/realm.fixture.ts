import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serveOnLoopback } from '../../../testing/serve-on-loopback.ts';
import { createNodeEnvironment } from '../../../environments/node/index.ts';
import { fakeDrivers } from '../../../testing/fake-drivers.ts';
import { signRequest } from '../../../wire/sigv4/sign.ts';
import type { RealmAnswer, RealmRequest } from '../../../ports/realm-webhook.ts';
import { createLambdaRuntime } from '../index.ts';
import { loadRealmFunction, type LoadedFunction } from './load-realm-function.ts';

/** A function in a folder of its own. */
export interface Placed extends LoadedFunction {
  readonly folder: string;
  /** Calls it as a webhook. */
  readonly request: (request: Partial<RealmRequest>) => Promise<RealmAnswer>;
}

/** What a function is placed with. */
export interface Around {
  readonly values?: object;
  readonly services?: object;
  readonly variables?: Readonly<Record<string, string>>;
  /** Other files by their names. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes the code where a function would be, and loads it. */
export function place(code: string, { values = {}, services = {}, variables = {}, files = {} }: Around = {}): Placed {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-realm-'));
  for (const [name, text] of Object.entries({ 'main.js': code, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const settings = { MILLRACE_VALUES: JSON.stringify(values), MILLRACE_SERVICES: JSON.stringify(services) };
  const handler = 'main.exports';
  const loaded = loadRealmFunction({ codeDirectory: folder, handler, variables: { ...settings, ...variables } });
  return {
    folder,
    run: async (event) => await loaded.run(event),
    async request(request) {
      const whole = { method: 'POST', path: '/hook', query: '', headers: [], bodyBase64: '', ...request };
      return (await loaded.run({ realmWebhook: whole })) as RealmAnswer;
    },
    async close() {
      await loaded.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The text of an answer's body. */
export function bodyOf({ bodyBase64 }: RealmAnswer): string {
  return Buffer.from(bodyBase64, 'base64').toString();
}

/** A node that verifies what is signed. */
export interface Node {
  /** What a function needs to reach it. */
  readonly variables: Readonly<Record<string, string>>;
  /** The answer of one of its functions. */
  readonly invoke: (name: string, event: unknown) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/** Starts a node with one stream, `realm`, and these functions. */
export async function startNode(functions: object = {}): Promise<Node> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-realm-node-'));
  const pair = { accessKeyId: 'REALM', secretAccessKey: randomUUID() };
  const environment = createNodeEnvironment({ log: 'silent' });
  const machine = { nodePath: process.execPath, variables: { PATH: process.env['PATH'] ?? '' } };
  const functionRuntime = createLambdaRuntime(machine, environment);
  const served = await serveOnLoopback({
    environment,
    drivers: fakeDrivers(environment.clock, { functionRuntime }),
    dataDirectory,
    mode: 'start',
    sections: { streams: { realm: { ShardCount: 1 } }, functions },
    credentials: [pair],
  });
  return {
    variables: {
      AWS_ENDPOINT_URL_KINESIS: served.api,
      AWS_ENDPOINT_URL_FIREHOSE: served.api,
      AWS_ACCESS_KEY_ID: pair.accessKeyId,
      AWS_SECRET_ACCESS_KEY: pair.secretAccessKey,
      AWS_REGION: 'us-east-1',
    },
    async invoke(name, event) {
      const url = new URL(`/2015-03-31/functions/${name}/invocations`, served.api);
      const request = { method: 'POST', url, headers: {}, body: JSON.stringify(event) };
      const signing = { ...pair, region: 'us-east-1', service: 'lambda', now: Date.now() };
      const answer = await fetch(url, { ...request, headers: signRequest(request, signing) });
      return await answer.json();
    },
    async stop() {
      await served.stop(1000);
      await functionRuntime.close();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}
