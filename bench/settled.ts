const GAUGE = 'log_unsettled_bytes';
const SECONDS_MAX = 120;
const LOOK_AGAIN_MS = 200;

/**
 * Waits until the log says that it has brought small extents together: gauge `log_unsettled_bytes` is 0. Resolves with
 * the seconds it took, or with undefined (said on stderr) when the node has no such gauge or needs more than 120 s.
 */
export async function whenSettled(port: number): Promise<number | undefined> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const seconds = (performance.now() - startedAt) / 1000;
    const values = [...(await answer.text()).matchAll(new RegExp(`^${GAUGE}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
    if (values.length === 0) return say(`no gauge ${GAUGE}`);
    if (values.every(([, value]) => Number(value) === 0)) return seconds;
    if (seconds > SECONDS_MAX) return say(`${GAUGE} is not 0 after ${SECONDS_MAX} s`);
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
}

function say(problem: string): undefined {
  process.stderr.write(`  not settled, no second drain: ${problem}\n`);
  return undefined;
}
