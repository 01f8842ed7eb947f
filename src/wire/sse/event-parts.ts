import type { SseEvent } from './event.ts';

const NOTHING = Buffer.alloc(0);
const LF = Buffer.from('\n');

/** The fields of the event that is being read. */
export class EventParts {
  readonly #bytesMax: number;
  #first: Uint8Array | undefined;
  #more: Uint8Array[] = [];
  #bytes = 0;
  #isTooLarge = false;
  #hasFields = false;
  type = '';
  id: string | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The event is larger than allowed: what stands of it is let go, and what comes is not kept. */
  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  /** How many more bytes fit. */
  get room(): number {
    return this.#bytesMax - this.#bytes;
  }

  addData(line: Uint8Array): void {
    if (!this.#fits(line.length + 1)) return;
    if (this.#first === undefined) this.#first = line;
    else this.#more.push(line);
  }

  /** Counts a field that is kept as text. */
  note(bytes: number): boolean {
    return this.#fits(bytes);
  }

  overflow(): void {
    this.#isTooLarge = true;
    this.#hasFields = true;
    this.#first = undefined;
    this.#more = [];
  }

  /** The event, when there is data; and begins the next one. */
  finish(): SseEvent | undefined {
    const { type, id } = this;
    const data = this.#isTooLarge ? undefined : this.#data();
    this.clear();
    if (data === undefined) return undefined;
    const named = type === '' ? 'message' : type;
    return id === undefined ? { type: named, data } : { type: named, data, id };
  }

  clear(): void {
    if (!this.#hasFields) return;
    this.#first = undefined;
    this.#more = [];
    this.#bytes = 0;
    this.#isTooLarge = false;
    this.#hasFields = false;
    this.type = '';
    this.id = undefined;
  }

  #data(): Uint8Array | undefined {
    if (this.#first === undefined || this.#more.length === 0) return this.#first;
    const parts = this.#more.flatMap((line) => [LF, line]);
    return Buffer.concat([this.#first, ...parts]);
  }

  #fits(bytes: number): boolean {
    this.#hasFields = true;
    if (this.#isTooLarge) return false;
    this.#bytes += bytes;
    // The last line has no LF behind it.
    if (this.#bytes <= this.#bytesMax + 1) return true;
    this.overflow();
    return false;
  }
}

/** A `data` field without a value. */
export const NO_BYTES: Uint8Array = NOTHING;
