/** RSS at one moment. */
export interface Sample {
  readonly seconds: number;
  readonly rssMiB: number;
}

/** What the samples say. */
export interface Memory {
  readonly peakMiB: number;
  /** What the line through the last two thirds of the run climbs from its begin to its end. */
  readonly climbMiB: number;
}

/** Fits a line by least squares to the last two thirds: the first third is warming up. */
export function judgeMemory(samples: readonly Sample[]): Memory {
  const last = samples.at(-1)?.seconds ?? 0;
  const late = samples.filter(({ seconds }) => seconds >= last / 3);
  const mean = (pick: (sample: Sample) => number): number =>
    late.reduce((sum, sample) => sum + pick(sample), 0) / late.length;
  const [meanSeconds, meanRss] = [mean(({ seconds }) => seconds), mean(({ rssMiB }) => rssMiB)];
  const covariance = mean(({ seconds, rssMiB }) => (seconds - meanSeconds) * (rssMiB - meanRss));
  const variance = mean(({ seconds }) => (seconds - meanSeconds) ** 2);
  const slope = variance === 0 ? 0 : covariance / variance;
  return { peakMiB: Math.max(...samples.map(({ rssMiB }) => rssMiB)), climbMiB: slope * (last - last / 3) };
}
