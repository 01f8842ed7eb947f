import { EnvironmentError, RequestError } from '../../kernel/errors.ts';
import type { FileDoors } from '../../ports/capability.ts';
import type { JsonCheck } from '../../ports/json-schema.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { GatewayOptions } from './config.ts';
import { limits } from './limits.ts';

/** The check of a route's `schema`; a sentence where its file cannot be used. */
export async function readSchema(file: string, doors: Omit<FileDoors, 'urls'>): Promise<JsonCheck | string> {
  const { files, configFolder, jsonSchemas } = doors;
  const path = file.startsWith('/') ? file : `${configFolder}/${file.replace(/^(\.\/+)+/, '')}`;
  try {
    const size = await files.size(path);
    if (size !== undefined && size > limits.schemaBytesMax) return `${path}: it is too large`;
    const bytes = await files.readFile(path);
    return jsonSchemas.compile(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    const isKnown = error instanceof RequestError || error instanceof EnvironmentError || error instanceof SyntaxError;
    if (!isKnown) throw error;
    return `${path}: ${error.message}`;
  }
}

/** Files of schemas that cannot be used. */
export async function schemaProblems(options: GatewayOptions, doors: FileDoors): Promise<readonly SectionProblem[]> {
  const found = await Promise.all(
    Object.entries(options.routes ?? {}).map(async ([key, { schema }]): Promise<readonly SectionProblem[]> => {
      const check = schema === undefined ? undefined : await readSchema(schema, doors);
      return typeof check === 'string' ? [{ path: ['routes', key, 'schema'], message: check }] : [];
    }),
  );
  return found.flat();
}
