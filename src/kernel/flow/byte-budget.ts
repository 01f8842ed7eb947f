import { assert } from '../assert.ts';

/** Bounds the bytes that several users hold at once; who waits is served in order. */
export interface ByteBudget {
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly waiting: number;
  /** The signal of who is served next; undefined when nobody waits. */
  readonly inFront: AbortSignal | undefined;
  /** Takes at once, or says that the bytes are not there. */
  tryTake(bytes: number): boolean;
  /**
   * Resolves with true once the bytes are taken, with false when `signal` aborts first. More bytes than the whole
   * budget are given when nobody holds any.
   */
  take(bytes: number, signal: AbortSignal): Promise<boolean>;
  /** Takes without asking, past the bound when need be: for what is in memory already. */
  charge(bytes: number): void;
  giveBack(bytes: number): void;
  /**
   * Lets one user at a time go on past the bound (by `charge`): when many hold a part of what they need, one of them
   * must come to its end. False while another one does.
   */
  tryOverdraw(): boolean;
  endOverdraft(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly done: (taken: boolean) => void;
}

/** A budget of `maxBytes`; with `maxBytes` 0 it still gives to one user at a time. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0;
  let isOverdrawn = false;
  const waiters = new Set<Waiter>();
  const fits = (bytes: number): boolean => usedBytes === 0 || usedBytes + bytes <= maxBytes;
  const serve = (): void => {
    for (const waiter of waiters) {
      if (!fits(waiter.bytes)) return;
      usedBytes += waiter.bytes;
      waiters.delete(waiter);
      waiter.done(true);
    }
  };
  return {
    maxBytes,
    get usedBytes() {
      return usedBytes;
    },
    get waiting() {
      return waiters.size;
    },
    get inFront() {
      const [first] = waiters;
      return first?.signal;
    },
    tryTake(bytes) {
      if (waiters.size > 0 || !fits(bytes)) return false;
      usedBytes += bytes;
      return true;
    },
    async take(bytes, signal) {
      if (this.tryTake(bytes)) return true;
      if (signal.aborted) return false;
      return await new Promise<boolean>((resolve) => {
        const waiter: Waiter = { bytes, signal, done };
        const abort = (): void => {
          waiters.delete(waiter);
          done(false);
          // Who stood behind may need less.
          serve();
        };
        function done(taken: boolean): void {
          signal.removeEventListener('abort', abort);
          resolve(taken);
        }
        signal.addEventListener('abort', abort);
        waiters.add(waiter);
      });
    },
    charge(bytes) {
      usedBytes += bytes;
    },
    tryOverdraw() {
      if (isOverdrawn) return false;
      isOverdrawn = true;
      return true;
    },
    endOverdraft() {
      assert(isOverdrawn, 'an overdraft ends once');
      isOverdrawn = false;
    },
    giveBack(bytes) {
      assert(bytes <= usedBytes, 'more bytes given back than taken');
      usedBytes -= bytes;
      serve();
    },
  };
}
