import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BytesInTurns } from './bytes-in-turns.ts';

const MIB = 1024 * 1024;

/** What was worked through, and the turns in between. */
function watched() {
  const seen: (number | 'turn')[] = [];
  const turns = new BytesInTurns(async () => void seen.push('turn'));
  const take = (piece: Uint8Array): void => void seen.push(piece.length);
  return { seen, turns, take };
}

describe('BytesInTurns', () => {
  it('gives way after each MiB, and not when all is done', async () => {
    const { seen, turns, take } = watched();
    await turns.each(new Uint8Array(2 * MIB), take);
    assert.deepEqual(seen, [MIB, 'turn', MIB]);
    await turns.each(new Uint8Array(5), take);
    assert.deepEqual(seen.slice(3), ['turn', 5]);
  });

  it('counts bytes of several passes together', async () => {
    const { seen, turns, take } = watched();
    const bytes = new Uint8Array(MIB / 2 + 1);
    for (let pass = 0; pass < 3; pass += 1) await turns.each(bytes, take);
    assert.deepEqual(seen, [MIB / 2 + 1, MIB / 2 - 1, 'turn', 2, MIB / 2 + 1]);
  });

  it('hands over every byte once, in order', async () => {
    const { turns } = watched();
    const bytes = Uint8Array.from({ length: 2 * MIB + 7 }, (_, index) => index % 251);
    const pieces: Uint8Array[] = [];
    await turns.each(bytes, (piece) => void pieces.push(piece));
    assert.ok(Buffer.concat(pieces).equals(bytes));
  });
});
