import { createHash } from 'node:crypto';

/** The node's seal: version, check sum, content. Whoever reads the source can make it; it must do no harm. */
export function seal(kind: string, content: string): string {
  const check = createHash('sha256').update(`millrace ${kind} 1\n`).update(content).digest().subarray(0, 8);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), check, Buffer.from(content)]).toString('base64');
}
