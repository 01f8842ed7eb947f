import type { Scenario } from '../scenario.ts';
import { onServer } from '../server.ts';

const IDLE_MS = 3000;

/** An empty server: time until it is ready, memory when nothing has been asked of it for three seconds. */
export const start: Scenario = {
  name: 'start',
  title: 'start on an empty directory',
  onRequest: false,
  millraceOnly: false,
  secondsMax: () => 75,
  async measure(place) {
    return await onServer(place, async (server) => {
      await new Promise((done) => setTimeout(done, IDLE_MS));
      return { figures: { readyMs: server.readyMs, idleRssMiB: server.usage().rssMiB }, problems: [] };
    });
  },
};
