/** What runs something in the next turn of the loop: a clock. */
interface Turns {
  soon(run: () => void): void;
}

/** Resolves in the next turn of the loop: what is due already, of others too, comes before. */
export function nextTurn(clock: Turns): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}
