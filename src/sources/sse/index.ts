import type { Source } from '../../ports/source.ts';
import { sseOptions } from './config.ts';
import { SseFeed } from './feed.ts';
import { readSettings, settingsOrProblem } from './read-settings.ts';
import { sseProblem } from './settings.ts';

/** Server-sent events of an HTTP server, resumed after the last id that is durable. */
export const sse: Source<typeof sseOptions> = {
  name: 'sse',
  options: sseOptions,
  problem: (options, urls) =>
    sseProblem(options) ?? (options.url === undefined ? undefined : urls.problem(options.url)),
  async fileProblem(options, doors) {
    const read = await settingsOrProblem(options, doors);
    if (typeof read === 'string') return read;
    if (options.url !== undefined) return undefined;
    const problem = doors.urls.problem(read.settings.url);
    return problem === undefined ? undefined : `properties: ${problem}`;
  },
  async notes(options, doors) {
    return (await readSettings(options, doors)).notes;
  },
  async open(options, at, doors, environment) {
    return new SseFeed(await readSettings(options, { ...doors, files: environment.files }), at, doors, environment);
  },
};
