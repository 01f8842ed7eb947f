import assert from 'node:assert/strict';
import { chooseJob } from './cleaning-policy.ts';
import { Segment } from './segment.ts';
import { ShardState } from './shard-table.ts';

/** A stream as it comes in, evenly. */
export interface ModelStream {
  readonly retentionMs: number;
  readonly bytesPerSecond: number;
}

/** Bytes of a record and its header. */
const RECORD_BYTES = 256;
const SHARE_BYTES = 220;
const FILE_BYTES = 200;
const JOBS_MAX = 50;

/** Records of one stream that came in together: `copies` is how often they were copied since. */
interface Batch {
  readonly at: number;
  readonly bytes: number;
  copies: number;
}

interface Held {
  readonly segment: Segment;
  readonly batches: Map<ShardState, Batch[]>;
}

/** A log without a disk: files are numbers, so that weeks of cleaning take no time. */
export class CleaningModel {
  readonly #streams: readonly (ModelStream & { readonly state: ShardState; owed: number })[];
  readonly #fileBytes: number;
  #files: Held[] = [];
  #active: Held;
  #numbers = 0;
  #now = 0;
  #taken = 0;
  #written = 0;
  #over = 0;
  #copies = 0;

  constructor(streams: readonly ModelStream[], fileBytes: number) {
    this.#fileBytes = fileBytes;
    this.#streams = streams.map((stream, index) => {
      const state = new ShardState(index + 1, { stream: `stream-${index}`, generation: 1, ordinal: 0 });
      state.retentionMs = stream.retentionMs;
      return { ...stream, state, owed: 0 };
    });
    this.#active = this.#file(0);
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    const rate = this.#streams.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    const stepMs = ((this.#fileBytes / 8) * 1000) / rate;
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now += stepMs;
      for (const stream of this.#streams) {
        stream.owed += (stream.bytesPerSecond * stepMs) / 1000;
        const count = Math.floor(stream.owed / RECORD_BYTES);
        if (count === 0) continue;
        stream.owed -= count * RECORD_BYTES;
        this.#take(stream.state, count * RECORD_BYTES);
      }
      if (this.#active.segment.fileBytes >= this.#fileBytes) this.#roll();
    }
  }

  /** Bytes written for each taken in; files beyond 1.5 times what is needed; copies of one record; all at most. */
  found(): { readonly written: number; readonly over: number; readonly copies: number } {
    return { written: this.#written / this.#taken, over: this.#over / this.#fileBytes, copies: this.#copies };
  }

  #file(settledFrom: number): Held {
    this.#numbers += 1;
    const header = { version: 2, segment: this.#numbers, epoch: 1, salt: 0, settledFrom };
    const segment = new Segment('/log', header);
    segment.index = undefined;
    segment.footer = { position: 0, bytes: 0 };
    segment.fileBytes = FILE_BYTES;
    return { segment, batches: new Map() };
  }

  #take(state: ShardState, bytes: number): void {
    this.#put(this.#active, state, { at: this.#now, bytes, copies: 0 });
    state.end += 1;
    this.#taken += bytes;
    this.#written += bytes;
  }

  #put({ segment, batches }: Held, state: ShardState, batch: Batch): void {
    let held = batches.get(state);
    if (held === undefined) {
      held = [];
      batches.set(state, held);
      segment.fileBytes += SHARE_BYTES;
      this.#written += SHARE_BYTES;
    }
    held.push(batch);
    const share = segment.shareOf(state);
    share.first = 0;
    share.end = state.end + 1;
    share.bytes += batch.bytes;
    share.lastAt = batch.at;
    segment.fileBytes += batch.bytes;
  }

  #roll(): void {
    this.#files.push(this.#active);
    this.#active = this.#file(0);
    this.#clean();
  }

  #clean(): void {
    for (let jobs = 0; ; jobs += 1) {
      assert.ok(jobs < JOBS_MAX, 'cleaning comes to an end');
      this.#files = this.#files.filter(({ segment }) => segment.liveBytes(this.#now) > 0);
      const segments = this.#files.map(({ segment }) => segment);
      const state = {
        segments,
        isComplete: () => true,
        now: this.#now,
        segmentBytesMax: this.#fileBytes,
        diskBytesMax: undefined,
        isShort: false,
      };
      const job = chooseJob(state);
      // While it is made a settled file stands beside its sources.
      this.#measure(job === undefined ? 0 : this.#settle(new Set(job)));
      if (job === undefined) return;
    }
  }

  /** Bytes of the settled file. */
  #settle(job: ReadonlySet<Segment>): number {
    const sources = this.#files.filter(({ segment }) => job.has(segment));
    assert.equal(sources.length, job.size);
    const settled = this.#file(Math.min(...sources.map(({ segment }) => segment.place)));
    for (const { batches } of sources) {
      for (const [state, held] of batches) {
        for (const batch of held) {
          if (batch.at < this.#now - state.retentionMs) continue;
          batch.copies += 1;
          this.#copies = Math.max(this.#copies, batch.copies);
          this.#put(settled, state, batch);
          this.#written += batch.bytes;
        }
      }
    }
    const at = this.#files.indexOf(sources[0] as Held);
    this.#files.splice(at, sources.length, settled);
    return sources.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
  }

  #measure(besideBytes: number): void {
    const files = this.#files.reduce((sum, { segment }) => sum + segment.fileBytes, this.#active.segment.fileBytes);
    let needed = 0;
    for (const { bytesPerSecond, retentionMs } of this.#streams) {
      needed += (bytesPerSecond * Math.min(this.#now, retentionMs)) / 1000;
    }
    this.#over = Math.max(this.#over, files + besideBytes - needed * 1.5);
  }
}
