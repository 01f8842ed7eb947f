import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IdWindow, type IdPlace } from './id-window.ts';

const HOUR_MS = 3_600_000;

function idOf(text: string | number): Uint8Array {
  return createHash('sha256').update(String(text)).digest().subarray(0, 16);
}

/** The window as a page of plain code. */
class Model {
  readonly #all: { readonly id: string; readonly place: IdPlace }[] = [];
  readonly idsMax: number;

  constructor(idsMax: number) {
    this.idsMax = idsMax;
  }

  add(id: string, place: IdPlace): void {
    this.#all.push({ id, place });
    if (this.#all.length > this.idsMax) this.#all.shift();
  }

  find(id: string, nowMs: number): IdPlace | undefined {
    const place = this.#all.findLast((one) => one.id === id)?.place;
    return place !== undefined && place.seconds * 1000 + HOUR_MS > nowMs ? place : undefined;
  }
}

test('answers as the model does, over chunks, bounds and time', () => {
  const command = fc.record({ id: fc.integer({ min: 0, max: 30 }), after: fc.integer({ min: 0, max: 900 }) });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), fc.integer({ min: 1, max: 25 }), (commands, idsMax) => {
      const window = new IdWindow({ windowMs: HOUR_MS, idsMax }, 7);
      const model = new Model(idsMax);
      let seconds = 1_700_000_000;
      for (const [index, { id, after }] of commands.entries()) {
        seconds += after;
        const place = { shard: index % 3, offset: index * 2 ** 33, seconds };
        window.add(idOf(id), place);
        model.add(String(id), place);
        if (index % 5 === 0) window.expire(seconds * 1000);
        for (let other = 0; other <= 30; other += 3) {
          assert.deepEqual(window.find(idOf(other), seconds * 1000), model.find(String(other), seconds * 1000));
        }
      }
    }),
  );
});

test('an id costs about 34 bytes, and memory goes when ids fall out', () => {
  const window = new IdWindow({ windowMs: HOUR_MS, idsMax: 1_000_000 });
  for (let index = 0; index < 200_000; index += 1) {
    window.add(idOf(index), { shard: 0, offset: index, seconds: 1_700_000_000 });
  }
  assert.ok(
    window.bytes / window.size < 46,
    `${window.bytes / window.size} bytes an id, the last chunk being partly used`,
  );
  window.expire(1_700_000_000_000 + 2 * HOUR_MS);
  assert.equal(window.size, 0);
  assert.ok(window.bytes < 3_000_000);
});
