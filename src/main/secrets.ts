import { EnvironmentError } from '../kernel/errors.ts';
import type { Environment } from '../ports/environment.ts';

const FILE = 'secrets.json';
/** 24 bytes of chance are 32 characters without padding. */
const SECRET_BYTES = 24;

/** The secrets that `dev` made up and keeps in the data directory; empty when there are none. */
export async function keptSecrets(
  environment: Environment,
  dataDirectory: string,
): Promise<Readonly<Record<string, string>>> {
  try {
    return parseSecrets(await environment.files.readFile(`${dataDirectory}/${FILE}`), `${dataDirectory}/${FILE}`);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'ENOENT') return {};
    throw error;
  }
}

function parseSecrets(bytes: Uint8Array, path: string): Readonly<Record<string, string>> {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isMapping && Object.values(value).every((one) => typeof one === 'string'))
      return value as Record<string, string>;
  } catch {
    // Told below: what stands there must not be quoted.
  }
  const hint = 'mend it, or move it away to have new secrets made';
  throw new EnvironmentError('EOTHER', `${path} is no JSON mapping of names to texts; ${hint}`);
}

/** Keeps them, readable by the owner only, whole or not at all. */
export async function keepSecrets(
  environment: Environment,
  dataDirectory: string,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const { files, random } = environment;
  await files.makeDirectory(dataDirectory);
  const fresh = `${dataDirectory}/.${FILE}-${random.uuid()}`;
  const file = await files.open(fresh, 'create');
  try {
    await file.write(new TextEncoder().encode(`${JSON.stringify(secrets, undefined, 2)}\n`), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(fresh, `${dataDirectory}/${FILE}`);
  await files.syncDirectory(dataDirectory);
}

/** A new secret. */
export function makeSecret(environment: Environment): string {
  return Buffer.from(environment.random.bytes(SECRET_BYTES)).toString('base64url');
}
