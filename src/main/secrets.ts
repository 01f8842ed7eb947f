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
    const bytes = await environment.files.readFile(`${dataDirectory}/${FILE}`);
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>;
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'ENOENT') return {};
    throw error;
  }
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
