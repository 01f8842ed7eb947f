import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LintFinding, LintOptions } from '../cli/context.ts';
import { InvalidConfig, type LoadedConfig } from '../config/index.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import type { ConfigFinding } from '../kernel/schema/config-finding.ts';
import type { NoteDoors } from '../ports/capability.ts';
import { capabilities } from '../registry.ts';
import { examineConfig, usualConfigFile } from './config-file.ts';
import { folderOf, identityOf } from './config-facts.ts';
import { createFunctionRuntime } from './drivers.ts';
import { usualListeners } from './own-listeners.ts';
import { refuseUnsafe } from './refuse-unsafe.ts';

const LITERAL =
  'a secret stands here as it is, and goes wherever the file goes: write "${secret:NAME}", and set ' +
  'MILLRACE_SECRET_NAME or name a secrets.file';
const LOOPBACK = { host: '127.0.0.1' };

/**
 * All that is wrong with a config file, or else all that works in it but perhaps not as it was meant. Nothing is
 * started, and nothing is written. Undefined: there is no such file.
 */
export async function lintConfig({ file, data }: LintOptions): Promise<readonly LintFinding[] | undefined> {
  const path = file === undefined ? usualConfigFile(process.cwd()) : resolve(file);
  if (path === undefined || !existsSync(path)) return undefined;
  const environment = createNodeEnvironment({ log: 'silent' });
  const given = {
    environment,
    source: path,
    dataDirectory: resolve(data),
    missingSecrets: 'pretend',
    own: usualListeners(),
  } as const;
  const read = await refused(async () => await examineConfig({ ...given, mode: 'dev' }));
  if (isRefused(read)) return read.map((finding) => ({ level: 'error', ...finding }));
  const started = await refused(async () => await examineConfig({ ...given, mode: 'start' }));
  const unsafe = await refused(async () => refuseUnsafe(read.config, { mode: 'start', api: LOOPBACK }));
  const functionRuntime = createFunctionRuntime(environment);
  try {
    const warnings = [
      ...[started, unsafe].flatMap((one) => (isRefused(one) ? one.map(refusedByStart) : [])),
      ...read.literalSecrets.map((at) => read.finding(at, LITERAL)),
      ...(await notes(read, { ...doorsOf(read, path), functionRuntime, files: environment.files })),
    ];
    const inOrder = warnings.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
    return inOrder.map((finding) => ({ level: 'warning', ...finding }));
  } finally {
    await functionRuntime.close();
  }
}

async function refused<T>(work: () => Promise<T>): Promise<T | readonly ConfigFinding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidConfig) return error.findings;
    throw error;
  }
}

function isRefused(outcome: unknown): outcome is readonly ConfigFinding[] {
  return Array.isArray(outcome);
}

function refusedByStart(finding: ConfigFinding): ConfigFinding {
  return { ...finding, message: `\`millrace start\` refuses it: ${finding.message}` };
}

function doorsOf({ config }: LoadedConfig, path: string): Omit<NoteDoors, 'files' | 'functionRuntime'> {
  return {
    identity: identityOf(config.server),
    configFolder: folderOf(path),
    mode: 'dev',
    names: (section) => Object.keys(config.sections[section] ?? {}),
  };
}

async function notes({ config, finding }: LoadedConfig, doors: NoteDoors): Promise<ConfigFinding[]> {
  const found: ConfigFinding[] = [];
  for (const capability of capabilities) {
    const { section } = capability;
    const options = config.sections[section];
    if (options === undefined || options === null) continue;
    // The config reader checked them against this capability's own declaration.
    const said = (await capability.notes?.(options as never, doors)) ?? [];
    found.push(...said.map(({ path, message }) => finding([section, ...path], message)));
  }
  return found;
}
