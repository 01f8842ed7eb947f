/** What happens when, in virtual time: a heap of events, equal times in the order in which they were added. */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Virtual time and the events that wait in it; all times are ms since the simulation's start. */
export class Agenda {
  now = 0;
  private readonly heap: Event[] = [];
  private added = 0;

  /** Runs `run` after `afterMs`; the returned function cancels it. */
  add(afterMs: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, afterMs), order: this.added, run, cancelled: false };
    this.added += 1;
    this.heap.push(event);
    this.up(this.heap.length - 1);
    return () => {
      event.cancelled = true;
    };
  }

  /** Moves time to the next event and runs it; false when none waits. */
  step(): boolean {
    for (;;) {
      const event = this.pop();
      if (event === undefined) return false;
      if (event.cancelled) continue;
      this.now = Math.max(this.now, event.at);
      event.run();
      return true;
    }
  }

  /** Forgets everything that waits; time stays. */
  clear(): void {
    this.heap.length = 0;
  }

  private pop(): Event | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (first !== undefined && last !== undefined && this.heap.length > 0) {
      this.heap[0] = last;
      this.down(0);
    }
    return first;
  }

  private before(a: number, b: number): boolean {
    const [left, right] = [this.heap[a], this.heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.at < right.at || (left.at === right.at && left.order < right.order);
  }

  private swap(a: number, b: number): void {
    const [left, right] = [this.heap[a], this.heap[b]];
    if (left === undefined || right === undefined) return;
    this.heap[a] = right;
    this.heap[b] = left;
  }

  private up(index: number): void {
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private down(index: number): void {
    let at = index;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.before(right, left) ? right : left;
      if (!this.before(least, at)) return;
      this.swap(at, least);
      at = least;
    }
  }
}
