import { CONSTANT_BYTES, WIDE_CODE } from './wide-code.ts';

/** Memory in which bytes become base64. What is written may be followed by up to 16 bytes without meaning. */
export interface Base64Memory {
  readonly bytes: Buffer;
  /** What lies in front of this place is not to be written. */
  readonly start: number;
  /** Copies the bytes from `from` to `to` to `at`. */
  copy(from: number, to: number, at: number): void;
  /** Writes the bytes from `from` to `to` as padded base64 at `at`; returns the position after it. */
  encode(from: number, to: number, at: number): number;
}

/** What of WebAssembly is used; it is not there when the platform was told not to make code (`--jitless`). */
interface WebAssembly {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: object } },
  ) => { readonly exports: object };
}

type Function3 = (from: number, to: number, at: number) => void;

const PAGE_BYTES = 65_536;
const STEP_BYTES = 12;
const PAD = 0x3d;
const LETTERS = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/**
 * Memory of `pages` times 64 KiB. Its base64 is several times as fast as the platform's own, which makes a text of the
 * bytes first; where the platform takes no code it is that one.
 */
export function openBase64Memory(pages: number): Base64Memory {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssembly };
  return WebAssembly === undefined ? openPlainBase64Memory(pages) : openWide(WebAssembly, pages);
}

function openWide({ Memory, Module, Instance }: WebAssembly, pages: number): Base64Memory {
  // Never more: growing would take the memory away from those who look at it.
  const memory = new Memory({ initial: pages, maximum: pages });
  const { exports } = new Instance(new Module(WIDE_CODE), { env: { memory } });
  const wide = exports as { readonly copy: Function3; readonly encode: Function3 };
  const bytes = Buffer.from(memory.buffer);
  return {
    bytes,
    start: CONSTANT_BYTES,
    copy: wide.copy,
    encode(from, to, at) {
      const steps = Math.floor((to - from) / STEP_BYTES);
      if (steps > 0) wide.encode(from, to, at);
      return encodeRest(bytes, from + steps * STEP_BYTES, to, at + steps * 16);
    },
  };
}

/** Less than one wide step. */
function encodeRest(bytes: Uint8Array, from: number, to: number, start: number): number {
  let at = start;
  for (let place = from; place < to; place += 3, at += 4) {
    const left = to - place;
    const second = left > 1 ? (bytes[place + 1] as number) : 0;
    const third = left > 2 ? (bytes[place + 2] as number) : 0;
    const group = ((bytes[place] as number) << 16) | (second << 8) | third;
    bytes[at] = LETTERS[group >> 18] as number;
    bytes[at + 1] = LETTERS[(group >> 12) & 63] as number;
    bytes[at + 2] = left > 1 ? (LETTERS[(group >> 6) & 63] as number) : PAD;
    bytes[at + 3] = left > 2 ? (LETTERS[group & 63] as number) : PAD;
  }
  return at;
}

/** The same without code of our own. */
export function openPlainBase64Memory(pages: number): Base64Memory {
  const bytes = Buffer.alloc(pages * PAGE_BYTES);
  return {
    bytes,
    start: 0,
    copy: (from, to, at) => void bytes.copyWithin(at, from, to),
    encode: (from, to, at) => at + bytes.write(bytes.toString('base64', from, to), at, 'latin1'),
  };
}
