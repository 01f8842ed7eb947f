import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signRequest } from '../../src/wire/sigv4/sign.ts';

/**
 * What the suites' own requests are signed with, and real clients where the node verifies signatures. DynamoDB Local takes
 * no id with other characters than letters and digits.
 */
export const KEY_PAIR = { accessKeyId: 'REALCLIENTS', secretAccessKey: 'what-real-clients-sign-with' } as const;

/** The same as variables that AWS clients know. */
export const KEY_PAIR_VARIABLES = {
  AWS_ACCESS_KEY_ID: KEY_PAIR.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEY_PAIR.secretAccessKey,
} as const;

/** Writes a config file of a node that serves only what KEY_PAIR signed; resolves with its path. */
export function verifyingConfig(folder: string, more = ''): string {
  const path = join(folder, 'millrace.yaml');
  writeFileSync(path, `${more}\nserver: { credentials: [${JSON.stringify(KEY_PAIR)}] }\n`);
  return path;
}

/** The headers of a request with its signature by KEY_PAIR. */
export function signed(
  service: 'kinesis' | 'firehose' | 'lambda' | 'millrace',
  request: Parameters<typeof signRequest>[0],
): Record<string, string> {
  return signRequest(request, { ...KEY_PAIR, region: 'us-east-1', service, now: Date.now() });
}
