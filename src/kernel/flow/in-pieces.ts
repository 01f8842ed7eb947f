/** Does work that stops after each piece, and lets others have their turn there; resolves with what came of it. */
export async function inPieces<T>(work: Generator<undefined, T>, turn: () => Promise<void>): Promise<T> {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
    await turn();
  }
}
