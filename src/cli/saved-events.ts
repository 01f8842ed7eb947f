import type { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';

const NAME = /^[\w.-]+$/;

/** Where saved events stand: beside the config file of the node, or where the command is given. */
export async function eventsFolder(client: ApiClient): Promise<string> {
  const { configFile } = await client.facts();
  return configFile === null ? 'events' : `${configFile.slice(0, configFile.lastIndexOf('/'))}/events`;
}

/** Whether an event can be saved under the name. */
export function isEventName(name: string): boolean {
  return NAME.test(name);
}

/** The file in which an event of that name is saved. */
export function savedEvent(folder: string, name: string): string {
  return `${folder}/${name}.json`;
}

/** The bytes of a file, or else of the saved event of that name; what is missing, in words, where there is neither. */
export async function findEvent(
  context: CliContext,
  given: string,
  folderOf: () => Promise<string>,
): Promise<Buffer | string> {
  const file = await context.readFile(given).catch(() => undefined);
  if (file !== undefined) return Buffer.from(file);
  if (!isEventName(given)) return `no file ${given}`;
  const path = savedEvent(await folderOf(), given);
  const saved = await context.readFile(path).catch(() => undefined);
  return saved === undefined ? `no file ${given}, and no saved event ${path}` : Buffer.from(saved);
}
