/** Turns that took longer are kept, in ms. */
export const LONG_TURN_MS = 2;

/** One turn of a server's loop; times in ms of its own clock. */
export interface Turn {
  /** What began it, as the platform calls it. */
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** Time of the processor, the collector's pauses included. */
  readonly ms: number;
  /** Of these, the collector's. */
  readonly pauseMs: number;
  /** Functions that took it; empty where nobody looked. */
  readonly what: string;
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
