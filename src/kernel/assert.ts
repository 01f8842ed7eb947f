import { Defect } from './errors.ts';

/** Raises a Defect with `what` unless `condition` holds; for what only a bug of ours can break. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Defect(what);
}

/** Raises a Defect: marks a branch that a complete `switch` never reaches. */
export function unreachable(value: never): never {
  throw new Defect(`unreachable: ${String(value)}`);
}
