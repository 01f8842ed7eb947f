import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { AnswerPieces } from './answer-pieces.ts';

/** A pool that tells what it gave and what came back. */
class TalliedPool extends BufferPool {
  readonly out = new Set<Buffer>();

  override take(): Buffer {
    const piece = super.take();
    this.out.add(piece);
    return piece;
  }

  override giveBack(piece: Buffer): void {
    assert.ok(this.out.delete(piece), 'a piece comes back once, as it was');
    super.giveBack(piece);
  }
}

test('what was added comes out, in pieces, and holds at most twice its bytes', () => {
  for (const sizes of [[], [0], [1], [50], [51], [100], [101], [99, 2], [250, 3, 0, 147], [1000]]) {
    const pool = new TalliedPool(100, 10);
    const answer = new AnswerPieces(pool);
    const added = sizes.map((size, index) => Buffer.alloc(size, 65 + index));
    for (const bytes of added) answer.add(bytes);
    const total = added.reduce((sum, { length }) => sum + length, 0);
    const pieces = answer.end();
    assert.equal(Buffer.concat(pieces).toString(), Buffer.concat(added).toString());
    assert.ok(pool.out.size * 100 <= 2 * total, `${sizes.join('+')}: ${pool.out.size} pieces`);
    answer.giveBack();
    answer.giveBack();
    assert.equal(pool.out.size, 0);
  }
});

test('an answer that is over does not change when its neighbours are written', () => {
  const pool = new TalliedPool(100, 10);
  const [one, other] = [new AnswerPieces(pool), new AnswerPieces(pool)];
  one.add(Buffer.alloc(120, 'a'));
  const sent = one.end();
  other.add(Buffer.alloc(300, 'b'));
  assert.equal(Buffer.concat(sent).toString(), 'a'.repeat(120));
  assert.equal(Buffer.concat(other.end()).toString(), 'b'.repeat(300));
});
