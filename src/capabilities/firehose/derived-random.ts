import { createHash } from 'node:crypto';
import type { Random } from '../../ports/environment.ts';

/** Chance that is the same for the same seed: what is replayed twice goes to the same places. */
export function derivedRandom(seed: string): Random {
  let drawn = 0;
  const block = (): Buffer =>
    createHash('sha256')
      .update(`${seed}/${(drawn += 1)}`)
      .digest();
  const bytes = (count: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(count / 32) }, block);
    return Buffer.concat(blocks).subarray(0, count);
  };
  return {
    bytes,
    uuid: () => {
      const hex = Buffer.from(bytes(16)).toString('hex');
      const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) & 3] ?? '8';
      const parts = [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        variant + hex.slice(17, 20),
        hex.slice(20),
      ];
      return parts.join('-');
    },
    fraction: () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32,
  };
}
