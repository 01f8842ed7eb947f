/** Raised when the node broke a promise. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** Raises BrokenPromise unless what was promised is so. */
export function promised(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new BrokenPromise(otherwise);
}
