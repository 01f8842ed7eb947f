import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameWriter } from './frame.ts';

function written(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  return Buffer.from(new FrameWriter(headers).write([Buffer.from(payload)]));
}

test('frames are those of the vectors that the SDKs publish', () => {
  const table: readonly (readonly [headers: Readonly<Record<string, string>>, payload: string, hex: string])[] = [
    [{}, '', '00000010 00000000 05c248eb 7d98c8ff'],
    [{}, "{'foo':'bar'}", '0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936'],
    [
      { 'content-type': 'application/json' },
      "{'foo':'bar'}",
      '0000003d 00000020 07fd8396 0c 636f6e74656e742d74797065 07 0010 6170706c69636174696f6e2f6a736f6e ' +
        '7b27666f6f273a27626172277d 8d9c08b1',
    ],
  ];
  for (const [headers, payload, hex] of table) {
    assert.equal(written(headers, payload).toString('hex'), hex.replaceAll(' ', ''));
  }
});

test('pieces of a payload stand behind each other', () => {
  const frame = new FrameWriter({ a: 'b' });
  const pieces = ['one', '', 'x'.repeat(100_000)].map((text) => Buffer.from(text));
  assert.deepEqual(frame.write(pieces), frame.write([Buffer.concat(pieces)]));
});
