import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Meter } from '../../ports/environment.ts';

/** A body that is sent: how many bytes, and these, as often as they are asked for. */
export interface SizedBody {
  readonly bytes: number;
  readonly pieces: Uint8Array | AsyncIterable<Uint8Array>;
  /** Gives back the memory it holds. */
  release(): void;
}

/** Of one body; what is larger is made twice, so that its length is known before it is sent. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** Of all bodies of all deliveries. */
const HELD_TOGETHER_BYTES_MAX = 64 * 1024 * 1024;

// Whether a body is held or made twice changes none of its bytes.
const budget = createByteBudget(HELD_TOGETHER_BYTES_MAX);

/** A compressed body with its length; `make` gives the same bytes each time. */
export async function compressedBody(make: () => AsyncIterable<Uint8Array>, meter: Meter): Promise<SizedBody> {
  const held = new HeldPieces(meter);
  let bytes = 0;
  try {
    for await (const piece of make()) {
      bytes += piece.length;
      held.add(piece);
    }
  } catch (error) {
    held.release();
    throw error;
  }
  return { bytes, pieces: held.whole() ?? make(), release: () => held.release() };
}

/** Pieces, as long as there is room for all of them. */
class HeldPieces {
  readonly #meter: Meter;
  #pieces: Uint8Array[] | undefined = [];
  #bytes = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  add(piece: Uint8Array): void {
    if (this.#pieces === undefined) return;
    const fits = this.#bytes + piece.length <= HELD_BYTES_MAX && budget.tryTake(piece.length);
    if (!fits) return this.release();
    this.#bytes += piece.length;
    this.#pieces.push(Buffer.from(piece));
    this.#tell();
  }

  whole(): Uint8Array | undefined {
    return this.#pieces === undefined ? undefined : Buffer.concat(this.#pieces);
  }

  release(): void {
    if (this.#pieces === undefined) return;
    this.#pieces = undefined;
    budget.giveBack(this.#bytes);
    this.#tell();
  }

  #tell(): void {
    this.#meter.gauge('http_endpoint_held_bytes', {}, budget.usedBytes);
  }
}
