const MIB = 1024 * 1024;

/** `BufferingHints` as destinations take them: records leave when one of the two is reached. */
export interface BufferingHints {
  readonly SizeInMBs?: number | undefined;
  readonly IntervalInSeconds?: number | undefined;
}

/** AWS's defaults, the same for each destination (service model). */
const DEFAULTS = { SizeInMBs: 5, IntervalInSeconds: 300 };

/** AWS takes both or none. */
export function hintsProblem({ SizeInMBs, IntervalInSeconds }: BufferingHints = {}): string | undefined {
  if ((SizeInMBs === undefined) === (IntervalInSeconds === undefined)) return undefined;
  return 'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none';
}

/** The hints that hold, in MiB and seconds. */
export function hintsInForce({ SizeInMBs, IntervalInSeconds }: BufferingHints = {}): typeof DEFAULTS {
  return {
    SizeInMBs: SizeInMBs ?? DEFAULTS.SizeInMBs,
    IntervalInSeconds: IntervalInSeconds ?? DEFAULTS.IntervalInSeconds,
  };
}

/** The same in bytes and milliseconds. */
export function bufferingOf(hints: BufferingHints | undefined): { bytesMax: number; intervalMs: number } {
  const { SizeInMBs, IntervalInSeconds } = hintsInForce(hints);
  return { bytesMax: SizeInMBs * MIB, intervalMs: IntervalInSeconds * 1000 };
}
