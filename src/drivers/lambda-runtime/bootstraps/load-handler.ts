import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A handler as users write it. */
export type Handler = (
  event: unknown,
  context: unknown,
  callback: (error: unknown, value?: unknown) => void,
) => unknown;

/** Why a handler cannot be loaded; the names are Lambda's. */
export class LoadError extends Error {
  readonly type: string;

  constructor(type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.type = type;
  }
}

const ENDINGS = ['.js', '.mjs', '.cjs', ''];
const MISSING = new Set(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);

/** Loads `folder/file.export`, a script or a module. Rejects with LoadError, or with what the code throws. */
export async function loadHandler(root: string, handler: string): Promise<Handler> {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1);
  if (dot <= 0 || dot === handler.length - 1 || handler.includes('..')) {
    throw new LoadError('Runtime.MalformedHandlerName', `Bad handler '${handler}': expected file.export`);
  }
  const [file, names] = [handler.slice(0, dot), handler.slice(dot + 1).split('.')];
  const path = ENDINGS.map((ending) => join(root, file + ending)).find((one) => existsSync(one));
  if (path === undefined) {
    throw new LoadError('Runtime.ImportModuleError', `Error: Cannot find module '${file}' in ${root}`);
  }
  const found = find(await load(path), names);
  if (typeof found === 'function') return found as Handler;
  const what = found === undefined ? 'is undefined or not exported' : 'is not a function';
  throw new LoadError('Runtime.HandlerNotFound', `${handler} ${what}`);
}

async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new LoadError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
    }
    const { code } = error as { readonly code?: unknown };
    if (!(error instanceof Error) || !MISSING.has(String(code))) throw error;
    throw new LoadError('Runtime.ImportModuleError', `Error: ${error.message}`, error);
  }
}

/** What a script exports stands under `default`, whatever of it the platform found by its names. */
function find(module: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  return walk(module, names) ?? walk(module['default'], names);
}

function walk(from: unknown, names: readonly string[]): unknown {
  let value = from;
  for (const name of names) value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return value;
}
