import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from './credentials.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'kinesis';

/** What is signed: a POST to `/` of a host. */
export interface Unsigned {
  readonly host: string;
  readonly region: string;
  readonly body: string;
  /** Beside host, date and token; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly at: Date;
}

/** The headers of a request with AWS's Signature Version 4. */
export function sign({ host, region, body, headers, at }: Unsigned, credentials: Credentials): Record<string, string> {
  const time = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const sent: Record<string, string> = {
    ...headers,
    'x-amz-date': time,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
  };
  const signed = Object.entries({ ...sent, host }).sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const lines = signed.map(([name, value]) => `${name}:${value.trim()}\n`).join('');
  const request = ['POST', '/', '', lines, names, hash(body)].join('\n');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${SERVICE}/aws4_request`;
  const text = [ALGORITHM, time, scope, hash(request)].join('\n');
  const key = [day, region, SERVICE, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  const who = `Credential=${credentials.accessKeyId}/${scope}`;
  return { ...sent, authorization: `${ALGORITHM} ${who}, SignedHeaders=${names}, Signature=${signature}` };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
