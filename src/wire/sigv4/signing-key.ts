import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** What a signing key is good for; `date` is YYYYMMDD. */
export interface Scope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The end of every scope of version 4. */
export const TERMINATOR = 'aws4_request';

/** `20260131/us-east-1/kinesis/aws4_request`. */
export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/${TERMINATOR}`;
}

/** The key that a secret becomes for one scope. */
export function signingKey(secret: string, { date, region, service }: Scope): KeyObject {
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [date, region, service, TERMINATOR]) key = createHmac('sha256', key).update(part).digest();
  return createSecretKey(key as Buffer);
}
