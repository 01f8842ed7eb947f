import { segmentName } from './format.ts';

/** What one segment holds of one shard. */
export interface Share {
  /** Offset after the shard's last record in the segment; 0 when there is none. */
  end: number;
  /** Arrival of that record, in ms. */
  at: number;
}

/** One file of the log. */
export class Segment {
  readonly number: number;
  readonly epoch: number;
  readonly salt: number;
  readonly path: string;
  /** Bytes known to be durable, from the start of the file. */
  end: number;
  /** How many commits are among them. */
  commitCount = 0;
  /** By the shards' numbers; a shard that is only defined here has a share without records. */
  readonly shares = new Map<number, Share>();

  constructor(directory: string, header: { number: number; epoch: number; salt: number }, end: number) {
    this.number = header.number;
    this.epoch = header.epoch;
    this.salt = header.salt;
    this.path = `${directory}/${segmentName(header.number, header.epoch)}`;
    this.end = end;
  }

  /** Takes note of records up to `end`; returns whether the shard is new to this segment. */
  note(shard: number, end: number, at: number): boolean {
    const share = this.shares.get(shard);
    if (share === undefined) {
      this.shares.set(shard, { end, at });
      return true;
    }
    if (end > share.end) {
      share.end = end;
      share.at = at;
    }
    return false;
  }
}
