import { EnvironmentError, RequestError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import type { SourceDoors } from '../../ports/source.ts';
import { sseLimits } from './limits.ts';
import { readProperties, type RuntimeProperties } from './properties.ts';
import { sseNotes, sseProblem, sseSettings, urlProblem, type SseOptions, type SseSettings } from './settings.ts';

/** The settings, with what in them changes nothing. */
export interface ReadSettings {
  readonly settings: SseSettings;
  readonly notes: readonly string[];
}

/** Joins the options with those of their file of properties. Rejects with RequestError InvalidConfig. */
export async function readSettings(
  options: SseOptions,
  { name, configFolder }: SourceDoors,
  environment: Environment,
): Promise<ReadSettings> {
  const file = options.properties;
  const fromFile: RuntimeProperties =
    file === undefined
      ? { options: {}, notes: [] }
      : readProperties(await textOf(file, name, configFolder, environment));
  if (fromFile.problem !== undefined) throw invalid(name, `properties: ${fromFile.problem}`);
  const joined: SseOptions = { ...fromFile.options, ...options };
  const missing = joined.url === undefined ? 'has no url, and neither has its file of properties' : undefined;
  const problem = missing ?? sseProblem(joined) ?? urlProblem(joined.url ?? '');
  if (problem !== undefined) throw invalid(name, problem);
  const hidden = Object.keys(fromFile.options)
    .filter((key) => Object.hasOwn(options, key))
    .map((key) => `properties: ${key} has no effect: the config file says it itself`);
  const notes = fromFile.notes.map((note) => `properties: ${note}`);
  return { settings: sseSettings(joined), notes: [...notes, ...hidden, ...sseNotes(joined)] };
}

async function textOf(file: string, name: string, folder: string, { files }: Environment): Promise<string> {
  const path = file.startsWith('/') ? file : `${folder}/${file}`;
  try {
    const bytes = await files.readFile(path);
    if (bytes.length > sseLimits.propertiesBytesMax) throw invalid(name, 'properties: the file is larger than 1 MiB');
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    throw invalid(name, `properties: ${file} cannot be read (${error.code})`);
  }
}

function invalid(name: string, sentence: string): RequestError {
  return new RequestError('InvalidConfig', `sources.${name}.sse: ${sentence}`);
}
