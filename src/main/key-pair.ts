import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError, type KeyPair } from '../cli/context.ts';

/**
 * The key pair of an AWS profile when one is named, else of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else of
 * AWS_PROFILE; undefined without any of these. CliError when a named profile has none.
 */
export async function keyPair(profile?: string): Promise<KeyPair | undefined> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_PROFILE } = process.env;
  if (profile === undefined && accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey };
  }
  const wanted = profile ?? AWS_PROFILE;
  if (wanted === undefined || wanted === '') return undefined;
  const path = process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials');
  const pair = pairOf(await readFile(path, 'utf8').catch(() => ''), wanted);
  if (pair === undefined) throw new CliError(`${path} has no key pair of the profile ${wanted}`);
  return pair;
}

/** The keys of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of a session with AWS_SESSION_TOKEN; undefined: none. */
export function environmentKeys(): (KeyPair & { readonly sessionToken?: string }) | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
  const { AWS_SESSION_TOKEN: sessionToken = '' } = process.env;
  if (accessKeyId === '' || secretAccessKey === '') return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== '' && { sessionToken }) };
}

/** The pair in the section of that name of AWS's credentials file. */
export function pairOf(text: string, profile: string): KeyPair | undefined {
  let section = '';
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1] ?? section;
    const [, name = '', value = ''] = /^\s*(aws_\w+)\s*=\s*(\S|\S.*\S)\s*$/.exec(line) ?? [];
    if (section === profile && name !== '') found.set(name, value);
  }
  const accessKeyId = found.get('aws_access_key_id');
  const secretAccessKey = found.get('aws_secret_access_key');
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}
