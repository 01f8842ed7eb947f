import { functionArn } from '../../kernel/names.ts';
import type { Doors } from '../../ports/capability.ts';
import type { FunctionSpec, RuntimeName } from '../../ports/function-runtime.ts';
import type { FunctionOptions } from './config.ts';
import { functionsLimits as limits } from './limits.ts';

const MIB = 1024 * 1024;

/** A function of the file as the runtime takes it, still without variables. */
export function functionSpec(
  name: string,
  options: FunctionOptions,
  { identity, mode, configFolder }: Pick<Doors, 'identity' | 'mode' | 'configFolder'>,
): FunctionSpec {
  const { runtime, code, handler, python, timeoutSeconds, memoryMb, concurrency, idleSeconds } = options;
  return {
    name,
    // The declaration takes no other words.
    runtime: runtime as RuntimeName,
    codeDirectory: absolute(configFolder, code),
    handler,
    ...(python !== undefined && { interpreter: python.includes('/') ? absolute(configFolder, python) : python }),
    timeoutMs: (timeoutSeconds ?? limits.timeoutSeconds) * 1000,
    memoryBytesMax: (memoryMb ?? limits.memoryMb) * MIB,
    concurrencyMax: concurrency ?? limits.concurrency,
    idleMs: (idleSeconds ?? limits.idleSeconds) * 1000,
    variables: {},
    arn: functionArn(identity.region, identity.account, name),
    region: identity.region,
    isWatched: mode === 'dev',
  };
}

/** Paths of a file are meant from where it stands. */
function absolute(folder: string, path: string): string {
  if (path.startsWith('/')) return path;
  const plain = path.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
  return plain === '' || plain === '.' ? folder : `${folder}/${plain}`;
}
