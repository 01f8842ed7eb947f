/** Turns that took longer are kept, in ms. */
export const LONG_TURN_MS = 2;

/** One turn of a server's loop; times in ms of its own clock. */
export interface Turn {
  /** What began it, as the platform calls it. */
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** By the clock: with the collector's pauses, and what the machine gave to others meanwhile. */
  readonly wallMs: number;
  /** Time of the processor that the thread took, pauses included. */
  readonly cpuMs: number;
  /** The collector's pauses, by the clock. */
  readonly pauseMs: number;
  /** Functions that took it; empty where nobody looked. */
  readonly what: string;
}

/** What a turn did itself, at most: how much of a pause was the processor's is not known. */
export function ownMs({ wallMs, cpuMs, pauseMs }: Turn): number {
  return Math.max(0, Math.min(cpuMs, wallMs - pauseMs));
}

/** What the runner asks the probe in the server; `isProfiled`: whether it looks which functions take the time. */
export interface ProbeQuestion {
  readonly ask: 'begin' | 'end';
  readonly isProfiled: boolean;
}

/** What was seen since `begin`. */
export interface ProbeAnswer {
  /** Turns, long or not. */
  readonly count: number;
  readonly turns: readonly Turn[];
  readonly millisecondsOfPauses: readonly number[];
}
