import type { Source } from '../../ports/source.ts';
import { sseOptions } from './config.ts';
import { SseFeed } from './feed.ts';
import { readSettings, settingsOrProblem } from './read-settings.ts';
import { sseProblem } from './settings.ts';

/** Server-sent events of an HTTP server, resumed after the last id that is durable. */
export const sse: Source<typeof sseOptions> = {
  name: 'sse',
  options: sseOptions,
  problem: sseProblem,
  async fileProblem(options, doors) {
    const read = await settingsOrProblem(options, doors);
    return typeof read === 'string' ? read : undefined;
  },
  async notes(options, doors) {
    return (await readSettings(options, doors)).notes;
  },
  async open(options, at, doors, environment) {
    return new SseFeed(await readSettings(options, { ...doors, files: environment.files }), at, doors, environment);
  },
};
