import { segmentName, type SegmentHeader } from './format.ts';
import type { Gap } from './definition.ts';
import { SegmentIndex } from './segment-index.ts';
import type { ShardState } from './shard-table.ts';

/** Everything one segment says of one shard. */
export class Share {
  readonly segment: Segment;
  readonly state: ShardState;
  /** As the definition has them: oldest kept offset, and the shard's end before this segment. */
  start = 0;
  before = 0;
  /** Whether the shard was closed before this segment or in it. */
  closed = false;
  dropped = false;
  gaps: readonly Gap[] = [];
  /** Offsets and arrival times of the records here: `first` to `end - 1`; equal when there are none. */
  first = 0;
  end = 0;
  firstAt = 0;
  lastAt = 0;
  /** What the records take in the file, headers of extents included. */
  bytes = 0;

  constructor(segment: Segment, state: ShardState) {
    this.segment = segment;
    this.state = state;
  }

  get hasRecords(): boolean {
    return this.end > this.first;
  }

  /** The segment says itself that the shard was dropped: nobody else has to. */
  drop(): void {
    if (!this.dropped) this.state.mentions -= 1;
    this.dropped = true;
  }

  /** The segment goes. */
  leave(): void {
    if (!this.dropped) this.state.mentions -= 1;
  }
}

/** Where the index of a sealed segment stands in its file. */
export interface FooterPlace {
  readonly position: number;
  readonly bytes: number;
}

/** One file of the log: a part of the journal as it was written, or a settled one that took over from such parts. */
export class Segment {
  readonly number: number;
  readonly epoch: number;
  readonly salt: number;
  readonly version: number;
  /** Where the file stands in the order of records: its number, or that of the oldest file it took over from. */
  readonly place: number;
  readonly isSettled: boolean;
  readonly path: string;
  /** End of what was written to the file, without its footer. */
  end = 0;
  /** Size of the file, in bytes. */
  fileBytes = 0;
  commitCount = 0;
  /** Whether the disk is known to have its first commit, which says where all shards stand: older files may go then. */
  isBegun = false;
  /** Number of the newest commit. */
  lastCommit = 0;
  /** By the shards' numbers: all that the file names. */
  readonly shares = new Map<number, Share>();
  /** Kept while the file has no footer that could be read instead. */
  index: SegmentIndex | undefined = new SegmentIndex();
  footer: FooterPlace | undefined;
  /** Whether the disk is known to have the footer: one that was found may only be in the system's memory. */
  isFooterDurable = false;
  /** Settled files that this one took over from, or journal files. */
  sources: readonly number[] = [];
  /** Whether reading one shard means reading mostly others'; said when the file is sealed. */
  isScattered = false;
  /** Whether a place in it is known to be damaged: such a file is never taken over from. */
  isDamaged = false;
  /** How many damaged places recovery had met before it came to this file. */
  damagesBefore = 0;
  /** How many when it was through. */
  damagesAfter = 0;

  constructor(directory: string, header: Omit<SegmentHeader, 'createdAt'>) {
    this.number = header.segment;
    this.epoch = header.epoch;
    this.salt = header.salt;
    this.version = header.version;
    this.isSettled = header.settledFrom > 0;
    this.place = this.isSettled ? header.settledFrom : header.segment;
    this.path = `${directory}/${segmentName(header.segment, header.epoch)}`;
  }

  /** What the file says of a shard, made when it is first named. */
  shareOf(state: ShardState): Share {
    let share = this.shares.get(state.id);
    if (share === undefined) {
      share = new Share(this, state);
      this.shares.set(state.id, share);
      state.mentions += 1;
    }
    return share;
  }

  /** Bytes of records that somebody may still read at `now`, in ms. */
  liveBytes(now: number): number {
    let bytes = 0;
    for (const share of this.shares.values()) if (share.state.needs(share, now)) bytes += share.bytes;
    return bytes;
  }
}
