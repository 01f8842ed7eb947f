/** Webhooks that prove themselves: each has a number, in its id and in its body, and is otherwise as all others. */
import { Connection } from './client.ts';
import { callJson } from './stream.ts';

const ID_DIGITS = 12;
const ID_FRONT = '00000000-0000-4000-8000-';
/** Bytes of a body. */
export const BODY_BYTES = 2048;
const PROBLEMS_MAX = 5;

/** A record as GetRecords gives it. */
export interface ReadRecord {
  readonly Data: string;
  readonly PartitionKey: string;
}

/** The id of a webhook, which is the key of its record. */
export function deliveryId(number: number): string {
  return ID_FRONT + String(number).padStart(ID_DIGITS, '0');
}

/** A body of 2,048 bytes whose number is written in place, so that sending costs the client little. */
export class WebhookBody {
  private readonly body: Buffer;
  private readonly idAt: number;

  constructor() {
    const front = '{"id":"';
    this.idAt = front.length;
    this.body = Buffer.from(`${front}${deliveryId(0)}","text":"`.padEnd(BODY_BYTES - 2, 'x') + '"}');
  }

  /** The body with this number; the next call overwrites it. */
  number(number: number): Buffer {
    this.body.write(deliveryId(number), this.idAt, 'latin1');
    return this.body;
  }
}

/** What came back of the webhooks 1 to `count`, all answered as stored: each must stand once, whole, under its own id. */
export class WebhookVerdict {
  private readonly count: number;
  private readonly seen: Uint8Array;
  private readonly body = new WebhookBody();
  private readonly wrong: string[] = [];
  private found = 0;

  constructor(count: number) {
    this.count = count;
    this.seen = new Uint8Array(count + 1);
  }

  take({ Data, PartitionKey }: ReadRecord): void {
    const number = Number(PartitionKey.slice(ID_FRONT.length));
    const isKnown = number >= 1 && number <= this.count && deliveryId(number) === PartitionKey;
    if (!isKnown) this.problem(`unknown ${PartitionKey}`);
    else if (this.seen[number] === 1) this.problem(`doubled ${number}`);
    else {
      this.seen[number] = 1;
      this.found += 1;
      if (Data !== this.body.number(number).toString('base64')) this.problem(`corrupt ${number}`);
    }
  }

  /** What is wrong once all was read; empty: nothing. */
  problems(): readonly string[] {
    const missing = this.count - this.found;
    return missing === 0 ? this.wrong : [...this.wrong, `${missing} missing`];
  }

  private problem(text: string): void {
    if (this.wrong.length < PROBLEMS_MAX) this.wrong.push(text);
  }
}

/** Reads every shard of a stream to its end, one after the other, and judges what stands there. */
export async function judgeWebhooks(port: number, stream: string, count: number): Promise<readonly string[]> {
  const verdict = new WebhookVerdict(count);
  const connection = await Connection.open(port);
  const { Shards } = await callJson(connection, 'ListShards', { StreamName: stream });
  for (const { ShardId } of Shards as readonly { ShardId: string }[]) {
    const from = { StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    let { ShardIterator } = await callJson(connection, 'GetShardIterator', from);
    for (let isAtTip = false; !isAtTip;) {
      const answer = await callJson(connection, 'GetRecords', { ShardIterator });
      const records = answer['Records'] as readonly ReadRecord[];
      for (const record of records) verdict.take(record);
      ShardIterator = answer['NextShardIterator'];
      isAtTip = records.length === 0 && answer['MillisBehindLatest'] === 0;
    }
  }
  connection.close();
  return verdict.problems();
}
