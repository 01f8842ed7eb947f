/** What a file system hands out space in, bytes. */
export const PAGE_BYTES = 4096;

/** The bytes of one file. Space is counted in pages that were written; holes take none. */
export class Content {
  private data = new Uint8Array(0);
  private pages = new Uint8Array(0);
  private pageCount = 0;
  private size = 0;

  get length(): number {
    return this.size;
  }

  /** Space it takes, in bytes. */
  get allocatedBytes(): number {
    return this.pageCount * PAGE_BYTES;
  }

  /** Reads up to `into.length` bytes at `position`; returns how many. */
  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - position));
    into.set(this.data.subarray(position, position + count));
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    this.reserve(end);
    this.data.set(bytes, position);
    this.size = Math.max(this.size, end);
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) this.allocate(page);
  }

  truncate(length: number): void {
    this.reserve(length);
    if (length < this.size) {
      this.data.fill(0, length, this.size);
      for (let page = Math.ceil(length / PAGE_BYTES); page * PAGE_BYTES < this.size; page += 1) this.release(page);
    }
    this.size = length;
  }

  /** How many of `length` bytes at `position` can be written with `freeBytes` of space left, from the first one on. */
  fitting(position: number, length: number, freeBytes: number): number {
    let free = Math.floor(freeBytes / PAGE_BYTES);
    const end = position + length;
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) {
      if (this.pages[page] === 1) continue;
      if (free <= 0) return Math.max(0, page * PAGE_BYTES - position);
      free -= 1;
    }
    return length;
  }

  /** Turns one bit of the byte at `position`. */
  flip(position: number, bit: number): void {
    if (position < this.size) this.data[position] = (this.data[position] ?? 0) ^ (1 << bit);
  }

  copy(): Content {
    const copy = new Content();
    copy.data = this.data.slice(0, this.size);
    copy.pages = this.pages.slice();
    copy.pageCount = this.pageCount;
    copy.size = this.size;
    return copy;
  }

  private allocate(page: number): void {
    if (this.pages[page] === 1) return;
    this.pages[page] = 1;
    this.pageCount += 1;
  }

  private release(page: number): void {
    if (this.pages[page] !== 1) return;
    this.pages[page] = 0;
    this.pageCount -= 1;
  }

  private reserve(end: number): void {
    if (end <= this.data.length) return;
    const bytes = Math.max(end, this.data.length * 2);
    this.data = grown(this.data, bytes);
    this.pages = grown(this.pages, Math.ceil(bytes / PAGE_BYTES));
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
