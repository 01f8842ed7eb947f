/**
 * Below 0 when the first key sorts before the second, as S3 sorts them: by the bytes of their UTF-8
 * (docs.aws.amazon.com, ListObjectsV2).
 */
export function keyOrder(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return one.length - other.length;
}

/** What needs two units in UTF-16 comes behind all that need one. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
