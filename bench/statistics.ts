/** The value that `share` (0 to 1) of the values do not exceed; 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Figures of how long puts took, and of how long records took from one end to the other; in ms. */
export function latencyFigures(putMs: readonly number[], endToEndMs: readonly number[]) {
  return {
    putP50Ms: percentile(putMs, 0.5),
    putP99Ms: percentile(putMs, 0.99),
    endToEndP50Ms: percentile(endToEndMs, 0.5),
    endToEndP99Ms: percentile(endToEndMs, 0.99),
  };
}

/** The middle value; of an even count the upper one. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
