const STORED = 1;
const READ = 2;
const DELIVERED = 4;
const PROBLEMS_MAX = 10;

/** What happened to records that are numbered from 0: stored, read and delivered, each once. One byte a record. */
export class Ledger {
  readonly problems: string[] = [];
  private readonly name: string;
  private states = new Uint8Array(1 << 16);
  private next = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Numbers given out so far. */
  get sent(): number {
    return this.next;
  }

  /** The first of `count` new numbers. */
  take(count: number): number {
    const first = this.next;
    this.next += count;
    if (this.next > this.states.length) {
      const larger = new Uint8Array(2 * this.next);
      larger.set(this.states);
      this.states = larger;
    }
    return first;
  }

  stored(number: number): void {
    this.mark(number, STORED, 'stored');
  }

  read(number: number): void {
    this.mark(number, READ, 'read');
  }

  delivered(number: number): void {
    this.mark(number, DELIVERED, 'delivered');
  }

  /** How many were stored, and how many of them were not read or not delivered yet. */
  count(): { readonly stored: number; readonly unread: number; readonly undelivered: number } {
    let [stored, unread, undelivered] = [0, 0, 0];
    for (const state of this.states.subarray(0, this.next)) {
      if ((state & STORED) === 0) continue;
      stored += 1;
      if ((state & READ) === 0) unread += 1;
      if ((state & DELIVERED) === 0) undelivered += 1;
    }
    return { stored, unread, undelivered };
  }

  private mark(number: number, bit: number, what: string): void {
    const state = this.states[number];
    if (state === undefined || number >= this.next) this.problem(`${what}, never sent: ${number}`);
    else if ((state & bit) !== 0) this.problem(`${what} twice: ${number}`);
    else this.states[number] = state | bit;
  }

  problem(text: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(`${this.name}: ${text}`);
  }
}
