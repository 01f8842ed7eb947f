import { dirname, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import type { Identity } from '../ports/capability.ts';

/** Who the node says it is, by what the file says. */
export function identityOf({ region = 'us-east-1', account = '000000000000' }: Config['server']): Identity {
  return { region, account };
}

/** Paths in a config are meant from this folder, absolute. */
export function folderOf(config: unknown): string {
  return typeof config === 'string' ? dirname(config) : process.cwd();
}

/** The files of `server.tls` with absolute paths. */
export function absoluteCertificate<T extends { readonly cert: string; readonly key: string }>(
  tls: T,
  config: unknown,
): T {
  const from = folderOf(config);
  return { ...tls, cert: resolve(from, tls.cert), key: resolve(from, tls.key) };
}
