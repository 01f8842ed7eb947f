import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import type { FunctionRuntime, FunctionSpec } from '../../ports/function-runtime.ts';
import { USUAL_SPEC } from '../../testing/function-runtime-contract.ts';
import { createLambdaRuntime } from './index.ts';

/** The driver with a folder of code of its own. */
export interface DriverBench {
  readonly runtime: FunctionRuntime;
  readonly folder: string;
  readonly logged: readonly string[];
  write(file: string, text: string): Promise<void>;
  spec(handler: string, changed?: Partial<FunctionSpec>): FunctionSpec;
  end(): Promise<void>;
}

const SHOWN = ['PATH', 'HOME', 'TMPDIR', 'LANG'];
const MIB = 1024 * 1024;

/** Makes one with these files. */
export async function openDriver(files: Readonly<Record<string, string>>): Promise<DriverBench> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-functions-'));
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  const logged: string[] = [];
  const environment = createNodeEnvironment({ log: 'json', logTo: (line) => void logged.push(line) });
  const variables = Object.fromEntries(
    SHOWN.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ) as Record<string, string>;
  const runtime = createLambdaRuntime({ nodePath: process.execPath, variables }, environment);
  return {
    runtime,
    folder,
    logged,
    write,
    spec: (handler, changed) => ({
      ...USUAL_SPEC,
      codeDirectory: folder,
      handler,
      timeoutMs: 20_000,
      memoryBytesMax: 256 * MIB,
      ...changed,
    }),
    end: async () => {
      await runtime.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
