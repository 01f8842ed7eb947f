import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve('node_modules', '.cache', 'millrace-tools');
const INSTALL_MS_MAX = 600_000;
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
/** What a program wrote last says why it failed. */
const OUTPUT_CHARACTERS_KEPT = 4000;
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Where and how a program of others runs. */
export interface RunOptions {
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs a program to its end and resolves with its stdout; rejects with what it wrote when it fails or takes too long. */
export async function runProgram(
  program: string,
  words: readonly string[],
  { workingDirectory, environment, timeoutMs = INSTALL_MS_MAX }: RunOptions = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, words, {
    cwd: workingDirectory,
    env: { ...process.env, ...environment },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES_MAX,
  }).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${program}: ${error.message.slice(-OUTPUT_CHARACTERS_KEPT)}\n${error.stdout ?? ''}`, {
      cause: error,
    });
  });
  return stdout.trim();
}

/** The folder of a pinned tool, filled by `install` when it is not whole yet. The name holds what is pinned. */
export async function toolFolder(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(ROOT, name.replaceAll(/[^A-Za-z0-9.]+/g, '-'));
  const whole = join(folder, '.whole');
  if (existsSync(whole)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await install(folder);
  writeFileSync(whole, `${name}\n`);
  return folder;
}

/** A Python environment with one pinned requirement; resolves with its interpreter. */
export async function pythonWith(requirement: string): Promise<string> {
  const folder = await toolFolder(requirement, async (made) => {
    await runProgram('python3', ['-m', 'venv', made]);
    await runProgram(join(made, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', requirement]);
  });
  return join(folder, 'bin', 'python');
}

/** A pinned npm package (`name@version`) with all that it needs; resolves with the folder that holds its node_modules. */
export async function npmPackage(requirement: string): Promise<string> {
  return await toolFolder(requirement, async (made) => {
    writeFileSync(join(made, 'package.json'), '{ "private": true, "type": "module" }\n');
    const words = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save', requirement];
    await runProgram('npm', words, { workingDirectory: made });
  });
}

/** A program built from the source of a pinned Go module (`path@version`), with its build tags; resolves with its path. */
export async function goProgram(module: string, place: string, tags: readonly string[]): Promise<string> {
  const name = module.split('/').at(-1) ?? module;
  const digest = createHash('sha256').update(tags.join()).digest('hex').slice(0, 12);
  const folder = await toolFolder(`${name}-${digest}`, async (made) => {
    const { Dir } = JSON.parse(await runProgram('go', ['mod', 'download', '-json', module])) as { Dir: string };
    const words = ['build', '-trimpath', '-tags', tags.join(), '-o', join(made, 'program'), place];
    await runProgram('go', words, { workingDirectory: Dir, environment: { CGO_ENABLED: '0' } });
  });
  return join(folder, 'program');
}

/** Pinned Maven artifacts (`group:artifact:version`) with all that they need; resolves with the folder of their jars. */
export async function mavenJars(...artifacts: readonly [string, ...string[]]): Promise<string> {
  const folder = await toolFolder(
    artifacts.map((artifact) => artifact.split(':').slice(1).join('-')).join('+'),
    async (made) => {
      writeFileSync(join(made, 'pom.xml'), projectOf(artifacts));
      const words = [`${DEPENDENCY_PLUGIN}:copy-dependencies`, '-DoutputDirectory=lib', '-DincludeScope=runtime'];
      await runProgram('mvn', ['--quiet', '--batch-mode', ...words], { workingDirectory: made });
    },
  );
  return join(folder, 'lib');
}

function projectOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>millrace</groupId><artifactId>tools</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('\n');
}
