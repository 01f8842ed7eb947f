import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openedBlock } from './snappy-block.fixture.ts';
import { SnappyBlockEncoder, snappyBlockBytesMax } from './snappy-block.ts';
import { SnappyFrameEncoder, snappyFramesBytesMax, snappyHead, type SnappyFraming } from './snappy-frames.ts';

const blocks = new SnappyBlockEncoder();
const frames = new SnappyFrameEncoder();

function block(input: Uint8Array): Buffer {
  const output = Buffer.alloc(snappyBlockBytesMax(input.length) + 3, 0xee);
  const end = blocks.encode(input, output, 3);
  assert.equal(output.toString('hex', 0, 3), 'eeeeee', 'nothing before it is touched');
  return output.subarray(3, end);
}

function stream(input: Uint8Array, framing: SnappyFraming): Buffer {
  const output = Buffer.alloc(snappyFramesBytesMax(input.length));
  return Buffer.concat([snappyHead(framing), output.subarray(0, frames.encode(framing, input, output))]);
}

const KINDS: Readonly<Record<string, (length: number) => Buffer>> = {
  j: events,
  r: noise,
  z: (length) => Buffer.alloc(length, 'ab'),
};

function events(length: number): Buffer {
  const parts: string[] = [];
  for (let index = 0, size = 0; size < length; index += 1) {
    const sha = createHash('sha256').update(String(index)).digest('hex');
    const part = `{"action":"push","id":${index},"sha":"${sha}","repository":{"name":"millrace"}}\n`;
    parts.push(part);
    size += part.length;
  }
  return Buffer.from(parts.join('')).subarray(0, length);
}

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 123456789;
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 255;
  }
  return bytes;
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Kind and length of the input, and digests of what snappy-java 1.1.10 made of it: SnappyOutputStream, and for Hadoop. */
const BY_JAVA: readonly (readonly [kind: string, length: number, java: string, hadoop: string])[] = [
  ['j', 0, '8cede7614db4fc15', 'e3b0c44298fc1c14'],
  ['r', 0, '8cede7614db4fc15', 'e3b0c44298fc1c14'],
  ['z', 0, '8cede7614db4fc15', 'e3b0c44298fc1c14'],
  ['j', 1, 'ed33a9ff00619e8f', '9abb75b68320edce'],
  ['r', 1, 'ae7e0438e19fa557', 'fe629a20050f26e2'],
  ['z', 1, '27cefee7aec77908', '1739f404f099eb4f'],
  ['j', 14, '0e3f115588025ba9', '75bc5d3e6c2322a1'],
  ['r', 14, 'c3e6413742d602cf', '5ee27782350e1524'],
  ['z', 14, '8806cb6ad8365d80', '42c03073cb1c3ca3'],
  ['j', 15, '364b811156c0f3e1', '8a13adc61419a25d'],
  ['r', 15, 'da4874e0ee2a2ff8', '3f24cfeb04e4de52'],
  ['z', 15, 'b4bc8b304c477883', '0e77b8198cd127a9'],
  ['j', 16, '71b0b53cf3bbaa08', '78b09efe30ecbd9d'],
  ['r', 16, '660760ca2dbe6b2c', '9b4a5471dd00d188'],
  ['z', 16, '33ab234790ad2650', '3fbc0a8a597c02ae'],
  ['j', 100, '13d867a2cb689abb', 'f52966e86358baee'],
  ['r', 100, 'ac5ddebfc3b4bf73', 'c4636da1d4e9701b'],
  ['z', 100, '5437284b9a02aa70', 'addc8db6da6e0afd'],
  ['j', 257, 'fb6d6b2734b5907a', '11e0a61440a4d110'],
  ['r', 257, 'e348a2234a28740f', '17f6d2ed252d20a5'],
  ['z', 257, '9a85767913443323', 'ffcef007a2b19c77'],
  ['j', 1000, 'e98c5a2dd076d63b', '1652e894aa097038'],
  ['r', 1000, 'b048d35c1aae7f7a', '8de85b5e3b051f74'],
  ['z', 1000, '115e0754d4b01d68', 'debdd4a4f1a96384'],
  ['j', 20000, 'd88f80ed166116c8', 'dd3becf34aca8917'],
  ['r', 20000, '26a664cd88cb88f9', '13888e8b516aa878'],
  ['z', 20000, 'c82818fd6c93b318', '8e13ef0af4ec8542'],
  ['j', 32768, '4f9c124364f1c707', '84b71820e46911d2'],
  ['r', 32768, 'b487f63c8ac64844', 'd601b023d6ac1aef'],
  ['z', 32768, '2a669f3680cbc2aa', '3fc04f72f1501694'],
  ['j', 32769, '0ca5a6eb8867deb4', 'c2d18a5a4e44535b'],
  ['r', 32769, '14883bb9db47f3b7', '7922f09deb6d35bd'],
  ['z', 32769, 'a41853b067f59599', 'e4aaa92ffe95dd6f'],
  ['j', 106890, '63be88b18449c66c', '08abab3436b92ddb'],
  ['r', 106890, 'de2f9f16791ea739', '8efea87b37617f6e'],
  ['z', 106890, '9a6c98c2c0ba7515', 'e266ed046f7387e5'],
];

test('streams are those of snappy-java, byte for byte', () => {
  for (const [kind, length, java, hadoop] of BY_JAVA) {
    const input = KINDS[kind]?.(length) as Buffer;
    assert.equal(digest(stream(input, 'java')), java, `${kind} ${length}`);
    assert.equal(digest(stream(input, 'hadoop')), hadoop, `${kind} ${length} for Hadoop`);
  }
});

test('blocks, spelled out', () => {
  const table: readonly (readonly [input: string, block: string])[] = [
    ['', '00'],
    ['a', '010061'],
    // Too short to be looked into.
    ['aaaaaaaaaaaaaa', '0e346161616161616161616161616161'],
    // A literal of one, a copy of 64 and one of 35, both from one byte back.
    ['a'.repeat(100), '640061fe01008a0100'],
  ];
  for (const [input, hex] of table) assert.equal(block(Buffer.from(input)).toString('hex'), hex, input);
});

test('any input comes back, within the room that is said to be enough', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(400)).map(([bytes, count]) => {
      return Buffer.alloc(Math.max(1, count) * bytes.length, bytes);
    }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const input = Buffer.concat(pieces).subarray(0, 65_536);
      const packed = block(input);
      assert.ok(packed.length <= snappyBlockBytesMax(input.length));
      assert.ok(openedBlock(packed).equals(input));
    }),
    { numRuns: 300 },
  );
});

test('a block is bounded, and its largest comes back', () => {
  for (const input of [noise(65_536), events(65_536), Buffer.alloc(65_536)])
    assert.ok(openedBlock(block(input)).equals(input));
  assert.throws(() => block(Buffer.alloc(65_537)), RangeError);
});
