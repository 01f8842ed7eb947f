/** Records that prove themselves: 1,024 bytes, the first 18 a number of the record, the rest the same filler. */

const RECORD_BYTES = 1024;
const ID_BYTES = 18;
const ID_CHARACTERS = 24;
const FILLER = Buffer.alloc(RECORD_BYTES - ID_BYTES, 'the rest of the record stays the same; ').toString('base64');
const FILLER_BYTES = Buffer.from(FILLER, 'latin1');
const DATA_CHARACTERS = ID_CHARACTERS + FILLER.length;

/** Bytes of one record's data. */
export const recordBytes = RECORD_BYTES;

function idText(id: number): string {
  return Buffer.from(String(id).padStart(ID_BYTES, '0'), 'latin1').toString('base64');
}

/** Bodies of PutRecord or PutRecords whose ids are written in place, so that sending costs the client little. */
export class PutBody {
  readonly body: Buffer;
  private readonly dataAt: number[] = [];
  private readonly keyAt: number[] = [];

  constructor(stream: string, count: number, single: boolean) {
    const record = `{"Data":"${'A'.repeat(ID_CHARACTERS)}${FILLER}","PartitionKey":"${'k'.repeat(ID_CHARACTERS)}"}`;
    const text = single
      ? `{"StreamName":"${stream}",${record.slice(1)}`
      : `{"StreamName":"${stream}","Records":[${Array(count).fill(record).join(',')}]}`;
    this.body = Buffer.from(text, 'latin1');
    for (let at = this.body.indexOf('"Data":"'); at >= 0; at = this.body.indexOf('"Data":"', at + 1)) {
      this.dataAt.push(at + 8);
      this.keyAt.push(at + 8 + DATA_CHARACTERS + '","PartitionKey":"'.length);
    }
  }

  /** Numbers the records `first`, `first + 1`, ...; keys differ as well. */
  number(first: number): Buffer {
    for (const [index, at] of this.dataAt.entries()) {
      const text = idText(first + index);
      this.body.write(text, at, 'latin1');
      this.body.write(text, this.keyAt[index] ?? 0, 'latin1');
    }
    return this.body;
  }
}

/** What came back: each id must come exactly once, whole, and in order per writer and shard. */
export class Verdict {
  readonly problems: string[] = [];
  count = 0;
  private readonly seen: Uint8Array;
  private readonly writerOf: (id: number) => number;

  constructor(idsMax: number, writerOf: (id: number) => number) {
    this.seen = new Uint8Array(idsMax);
    this.writerOf = writerOf;
  }

  /** Checks one GetRecords answer; `last` holds the newest id of each writer in this shard. Returns the records in it. */
  take(body: Buffer, last: Map<number, number>): number {
    let found = 0;
    for (let at = body.indexOf('"Data":"'); at >= 0; at = body.indexOf('"Data":"', at + DATA_CHARACTERS)) {
      const start = at + 8;
      const filler = start + ID_CHARACTERS;
      found += 1;
      if (body.compare(FILLER_BYTES, 0, FILLER.length, filler, filler + FILLER.length) !== 0) this.problem('corrupt');
      const id = Number(Buffer.from(body.toString('latin1', start, filler), 'base64').toString('latin1'));
      if (this.seen[id] !== 0) this.problem(`doubled or unknown ${id}`);
      this.seen[id] = 1;
      const writer = this.writerOf(id);
      if (id <= (last.get(writer) ?? -1)) this.problem(`misordered ${id}`);
      last.set(writer, id);
    }
    this.count += found;
    return found;
  }

  private problem(text: string): void {
    if (this.problems.length < 5) this.problems.push(text);
  }
}
