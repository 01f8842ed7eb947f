import { EnvironmentError, RequestError } from '../../kernel/errors.ts';
import type { SourceNoteDoors } from '../../ports/source.ts';
import { sseLimits } from './limits.ts';
import { readProperties, type RuntimeProperties } from './properties.ts';
import { sseNotes, sseProblem, sseSettings, urlProblem, type SseOptions, type SseSettings } from './settings.ts';

/** The settings, with what in them changes nothing. */
export interface ReadSettings {
  readonly settings: SseSettings;
  readonly notes: readonly string[];
}

/** Joins the options with those of their file of properties. Rejects with RequestError InvalidConfig. */
export async function readSettings(options: SseOptions, doors: SourceNoteDoors): Promise<ReadSettings> {
  const read = await settingsOrProblem(options, doors);
  if (typeof read === 'string') throw new RequestError('InvalidConfig', `sources.${doors.name}.sse: ${read}`);
  return read;
}

/** The same; a sentence where they cannot be used. */
export async function settingsOrProblem(options: SseOptions, doors: SourceNoteDoors): Promise<ReadSettings | string> {
  const file = options.properties;
  const text = file === undefined ? '[]' : await textOf(file, doors);
  if (typeof text !== 'string') return `properties: ${text.problem}`;
  const fromFile: RuntimeProperties = readProperties(text);
  if (fromFile.problem !== undefined) return `properties: ${fromFile.problem}`;
  const joined: SseOptions = { ...fromFile.options, ...options };
  const missing = joined.url === undefined ? 'has no url, and neither has its file of properties' : undefined;
  const problem = missing ?? sseProblem(joined) ?? urlProblem(joined.url ?? '');
  if (problem !== undefined) return problem;
  const hidden = Object.keys(fromFile.options)
    .filter((key) => Object.hasOwn(options, key))
    .map((key) => `properties: ${key} has no effect: the config file says it itself`);
  const notes = fromFile.notes.map((note) => `properties: ${note}`);
  return { settings: sseSettings(joined), notes: [...notes, ...hidden, ...sseNotes(joined)] };
}

async function textOf(
  file: string,
  { configFolder, files }: SourceNoteDoors,
): Promise<string | { readonly problem: string }> {
  const path = file.startsWith('/') ? file : `${configFolder}/${file}`;
  try {
    const bytes = await files.readFile(path);
    if (bytes.length > sseLimits.propertiesBytesMax) return { problem: 'the file is larger than 1 MiB' };
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return { problem: `${file} cannot be read (${error.code})` };
  }
}
