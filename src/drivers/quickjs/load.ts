import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../kernel/errors.ts';
import { webAssembly, type WasmModule } from './web-assembly.ts';

const PACKAGE = '@jitl/quickjs-ng-wasmfile-release-sync';

/** Reads and compiles the engine, off the main thread. EnvironmentError that says how to mend it when it is missing. */
export async function loadEngine(): Promise<WasmModule> {
  const platform = webAssembly();
  if (platform === undefined)
    throw new EnvironmentError('EOTHER', 'scripts need WebAssembly: run node without --jitless');
  try {
    return await platform.compile(await readFile(fileURLToPath(import.meta.resolve(`${PACKAGE}/wasm`))));
  } catch (error) {
    throw new EnvironmentError(
      'ENOENT',
      `scripts need a package that is missing: npm install ${PACKAGE}@0.32.0`,
      error,
    );
  }
}
