import type { Clock } from '../../ports/environment.ts';

/** The machine's own time. Timers alone keep no process alive. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  async sleep(ms, signal) {
    await new Promise<void>((resolve) => {
      if (signal?.aborted === true) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms).unref();
      signal?.addEventListener('abort', end, { once: true });
    });
  },
  soon(run) {
    setImmediate(run);
  },
};
