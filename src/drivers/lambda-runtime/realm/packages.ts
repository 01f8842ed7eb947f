import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Bson from 'bson';
import type * as Driver from 'mongodb';

/** The packages that functions of this runtime work with: MongoDB's driver, and the BSON it came with. */
export interface RealmPackages {
  readonly bson: typeof Bson;
  /** Loaded on first use: it takes some 0.4 s, and not every function has a database. */
  driver(): typeof Driver;
}

/** Tells what to do who has no driver: it is an optional peer of this package. */
export const MISSING_DRIVER = 'runtime: realm needs the package mongodb: npm install mongodb@7.8.0';

/** The packages beside millrace or beside the function's code; undefined when neither has them. */
export function findPackages(codeDirectory: string, own = import.meta.url): RealmPackages | undefined {
  for (const from of [own, join(codeDirectory, 'package.json')]) {
    const require = createRequire(from);
    const path = resolved(require, 'mongodb');
    if (path === undefined) continue;
    // The driver's own: another copy would be another version.
    const bson = createRequire(path)('bson') as typeof Bson;
    return { bson, driver: () => require(path) as typeof Driver };
  }
  return undefined;
}

function resolved(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
