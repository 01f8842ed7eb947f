import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../kernel/errors.ts';
import { certificateProblem } from '../compose/certificate.ts';
import {
  InvalidConfig,
  loadConfig,
  loadConfigValue,
  readSecrets,
  secretsFileOf,
  secretsFileOfValue,
  type Config,
  type LoadedConfig,
} from '../config/index.ts';
import { createJsonSchemas } from '../drivers/json-schema/index.ts';
import type { OwnListener } from '../kernel/net/outgoing-rules.ts';
import type { ConfigFinding } from '../kernel/schema/config-finding.ts';
import type { FileDoors } from '../ports/capability.ts';
import type { Environment } from '../ports/environment.ts';
import { capabilities } from '../registry.ts';
import { absoluteCertificate, folderOf } from './config-facts.ts';
import { keepSecrets, keptSecrets, makeSecret } from './secrets.ts';

const USUAL_NAMES = ['millrace.yaml', 'millrace.yml', 'millrace.config.js', 'millrace.config.ts'];
const MODULES = new Set(['.js', '.mjs', '.ts', '.mts']);

/** How a config is read. */
export interface ReadConfigOptions {
  readonly environment: Environment;
  /** Absolute path of the file, or the values themselves; undefined: an empty config. */
  readonly source: string | object | undefined;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly mode: 'dev' | 'start';
  /** The node's own listeners as far as they are known. */
  readonly own: readonly OwnListener[];
  /** What becomes of a missing secret: it is made up and kept, is an error, or only stands for one. */
  readonly missingSecrets: 'make' | 'refuse' | 'pretend';
}

/** The file that is meant when none is named, as an absolute path. */
export function usualConfigFile(folder: string): string | undefined {
  return USUAL_NAMES.map((name) => resolve(folder, name)).find((path) => existsSync(path));
}

/** Reads and checks a config. Rejects with InvalidConfig. */
export async function readConfig(options: ReadConfigOptions): Promise<Config> {
  return (await examineConfig(options)).config;
}

/** The same, with what is known of its file. Rejects with InvalidConfig. */
export async function examineConfig(options: ReadConfigOptions): Promise<LoadedConfig> {
  const { environment, source, dataDirectory, mode, missingSecrets, own } = options;
  const file = typeof source === 'string' ? source : undefined;
  const read = await readSource(source);
  const kept = await keptSecrets(environment, dataDirectory);
  // Maps, since every object knows names such as `constructor`.
  const known = new Map([...Object.entries(kept), ...Object.entries(await readSecretsFile(file, read.secretsFile))]);
  const made = new Map<string, string>();
  const secret = (name: string): string | undefined => {
    const found = process.env[`MILLRACE_SECRET_${name}`] ?? known.get(name) ?? made.get(name);
    if (found !== undefined || missingSecrets === 'refuse') return found;
    const fresh = makeSecret(environment);
    made.set(name, fresh);
    return fresh;
  };
  const variables = { environment: (name: string) => process.env[name], secret };
  const name = file === undefined ? 'config' : shortName(file);
  const loaded = read.check({ name, sections: capabilities, variables, mode, own });
  const problems = [
    ...(await certificateProblems(loaded, environment, source)),
    ...(await fileProblems(loaded, { environment, configFolder: folderOf(source) })),
  ];
  if (problems.length > 0) throw new InvalidConfig(problems);
  const isKept = missingSecrets === 'make' && made.size > 0;
  if (isKept) await keepSecrets(environment, dataDirectory, { ...kept, ...Object.fromEntries(made) });
  return loaded;
}

/** What it would refuse in the files of `server.tls`. */
async function certificateProblems(
  { config, finding }: LoadedConfig,
  { files }: Environment,
  source: unknown,
): Promise<readonly ConfigFinding[]> {
  const { tls } = config.server;
  const problem = tls === undefined ? undefined : await certificateProblem(absoluteCertificate(tls, source), files);
  return problem === undefined ? [] : [finding(['server', 'tls', problem.word], problem.message)];
}

/** What a started node would refuse in files that the sections name: said before there is anything to take back. */
async function fileProblems(
  { config, finding, urls }: LoadedConfig,
  { environment, configFolder }: { readonly environment: Environment; readonly configFolder: string },
): Promise<readonly ConfigFinding[]> {
  const doors: FileDoors = { files: environment.files, configFolder, jsonSchemas: createJsonSchemas(), urls };
  const found = capabilities.map(async (capability) => {
    const { section } = capability;
    const options = config.sections[section];
    if (options === undefined || options === null) return [];
    // The config reader checked them against this capability's own declaration.
    const said = (await capability.fileProblems?.(options as never, doors)) ?? [];
    return said.map(({ path, message }) => finding([section, ...path], message));
  });
  return (await Promise.all(found)).flat();
}

interface ReadSource {
  readonly secretsFile: string | undefined;
  check(options: Parameters<typeof loadConfig>[1]): LoadedConfig;
}

async function readSource(source: string | object | undefined): Promise<ReadSource> {
  if (typeof source !== 'string') return ofValue(source ?? {});
  if (MODULES.has(extname(source))) return ofValue(await readModule(source));
  const text = await readText(source);
  return { secretsFile: secretsFileOf(text), check: (options) => loadConfig(text, options) };
}

function ofValue(value: unknown): ReadSource {
  return { secretsFile: secretsFileOfValue(value), check: (options) => loadConfigValue(value, options) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const isFolder = (error as { code?: unknown }).code === 'EISDIR';
    const message = isFolder ? 'is a folder, not a file' : messageOf(error);
    throw new InvalidConfig([{ file: shortName(path), path: '', message }]);
  }
}

/** A module that was changed is another one: its address must change with it. */
async function readModule(path: string): Promise<unknown> {
  try {
    const module = (await import(`${pathToFileURL(path).href}?t=${Date.now()}`)) as { default?: unknown };
    if (module.default === undefined)
      throw new Error('has no default export; write `export default defineConfig({...})`');
    return module.default;
  } catch (error) {
    const isUntyped = (error as { code?: unknown }).code === 'ERR_UNKNOWN_FILE_EXTENSION';
    const message = isUntyped
      ? 'this Node runs no TypeScript; use .js or YAML, or Node 22.18 or newer'
      : error instanceof Error
        ? error.message
        : String(error);
    throw new InvalidConfig([{ file: shortName(path), path: '', message }]);
  }
}

async function readSecretsFile(
  config: string | undefined,
  name: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (name === undefined) return {};
  const path = resolve(config === undefined ? process.cwd() : dirname(config), name);
  return readSecrets(await readText(path), shortName(path));
}

/** As people would type it where they stand. */
function shortName(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}
