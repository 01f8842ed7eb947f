import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { mavenJars, runProgram, toolFolder } from './tools.ts';

/** A compiler from Maven Central, so that a plain Java runtime is enough. */
const COMPILER = 'org.eclipse.jdt:ecj:3.40.0';
const COMPILER_CLASS = 'org.eclipse.jdt.internal.compiler.batch.Main';
const MACHINE = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const LOG = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

/** What every Java program here logs with. */
export const LOGGER = 'org.slf4j:slf4j-simple:2.0.13';

/** The words for `java` that run the one class of a source file of ours against a folder of jars; its own come behind. */
export async function javaWords(source: string, jars: string, options: readonly string[] = []): Promise<string[]> {
  const classPath = [await compiled(source, jars), join(jars, '*')].join(delimiter);
  return [...MACHINE, ...options, LOG, '-cp', classPath, basename(source, '.java')];
}

async function compiled(source: string, jars: string): Promise<string> {
  const compiler = await mavenJars(COMPILER);
  const digest = createHash('sha256').update(readFileSync(source)).update(jars).digest('hex').slice(0, 12);
  return await toolFolder(`${basename(source, '.java')}-${digest}`, async (made) => {
    const classPath = readdirSync(jars).map((file) => join(jars, file));
    const words = ['-17', '-nowarn', '-proc:none', '-cp', classPath.join(delimiter), '-d', made, source];
    await runProgram('java', ['-cp', join(compiler, '*'), COMPILER_CLASS, ...words]);
  });
}
