import type { Catalog } from '../../../ports/catalog.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { Functions } from '../../../ports/functions.ts';
import type { Records } from '../../../ports/records.ts';

/** What workers work with. */
export interface WorkerDoors {
  readonly records: Records;
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly environment: Environment;
}
