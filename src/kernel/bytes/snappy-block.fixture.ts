import assert from 'node:assert/strict';

/** Reads a block by the format's description, knowing nothing of how it was written. */
export function openedBlock(packed: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = packed[at++] as number;
    length |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  const plain = Buffer.alloc(length);
  let to = 0;
  const copy = (offset: number, count: number): void => {
    assert.ok(offset > 0 && offset <= to, 'a copy refers to what is there');
    for (let index = 0; index < count; index += 1, to += 1) plain[to] = plain[to - offset] as number;
  };
  while (at < packed.length) {
    const tag = packed[at++] as number;
    if ((tag & 3) === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const count = (extra === 0 ? tag >> 2 : packed.readUIntLE(at, extra)) + 1;
      at += extra;
      to += packed.copy(plain, to, at, at + count);
      at += count;
    } else if ((tag & 3) === 1) copy(((tag >> 5) << 8) | (packed[at++] as number), ((tag >> 2) & 7) + 4);
    else {
      copy(packed.readUInt16LE(at), (tag >> 2) + 1);
      at += 2;
    }
  }
  assert.equal(to, length);
  return plain;
}
