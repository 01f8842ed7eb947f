import { httpLimits } from './limits.ts';

/** How fast a body comes, looked at every second: many that hardly come are not to keep what others wait for. */
export class BodyPace {
  #bytesBefore = 0;
  #isSlow = false;
  #hasRested = false;
  #before: object | undefined;

  /** It is not read for a while: how little comes then is not its sender's doing. */
  rest(): void {
    this.#hasRested = true;
  }

  /**
   * Whether a body that has come so far is in the way: slow, while the same one waits in front of all others for memory
   * (`inFront`) as at the look before.
   */
  look(bytes: number, isResting: boolean, inFront: object | undefined): boolean {
    const brought = bytes - this.#bytesBefore;
    if (!this.#hasRested) this.#isSlow = brought < bytes * httpLimits.slowBodyShare;
    const isAwaited = inFront !== undefined && inFront === this.#before;
    this.#bytesBefore = bytes;
    this.#hasRested = isResting;
    this.#before = inFront;
    return this.#isSlow && isAwaited && bytes > httpLimits.slowBodyBytes;
  }
}
