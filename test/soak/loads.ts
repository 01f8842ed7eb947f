import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinesis, listShards } from '../support/kinesis.ts';
import type { NodeProcess } from '../support/node-process.ts';
import { sendWebhook, type StoredWebhook } from '../support/post-webhook.ts';
import { reshardOnce } from '../support/reshard-once.ts';
import type { Ledger } from './ledger.ts';

/** The stream that writers fill and readers follow. */
export const STREAM = 'soak';

/** Bytes of each of its records, the line end included. */
export const RECORD_BYTES = 1024;

const BATCH = 100;
const HOOKS_PER_SECOND = 20;
const READ_PAUSE_MS = 200;
const RESHARD_MS = 15_000;
const CHURN_MS = 20_000;

/** What all loads share. */
export interface Soak {
  readonly node: NodeProcess;
  /** Of each writer. */
  readonly ledgers: readonly Ledger[];
  readonly hooks: Ledger;
  /** Writers end here. */
  readonly writing: AbortSignal;
  /** Readers end here, once all is read. */
  readonly reading: AbortSignal;
}

/** `writer/number;` filled up to the length of a record. */
function recordOf(writer: number, number: number): string {
  return `${writer}/${number};`.padEnd(RECORD_BYTES - 1, '.').concat('\n');
}

/** Waits, and comes back early when the signal ends the waiting. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** One writer: batches of 100 at an even pace. A refused record is not sent again; it just does not count. */
export async function write(soak: Soak, writer: number, perSecond: number): Promise<void> {
  const ledger = soak.ledgers[writer] as Ledger;
  const everyMs = (BATCH / perSecond) * 1000;
  for (let at = performance.now(); !soak.writing.aborted; at += everyMs) {
    await pause(at - performance.now(), soak.writing);
    const first = ledger.take(BATCH);
    const answer = await kinesis(soak.node.api, 'PutRecords', {
      StreamName: STREAM,
      Records: Array.from({ length: BATCH }, (_, index) => ({
        Data: Buffer.from(recordOf(writer, first + index)).toString('base64'),
        PartitionKey: `${writer}/${first + index}`,
      })),
    });
    const { Records } = answer as { Records: readonly { SequenceNumber?: string }[] };
    for (const [index, { SequenceNumber }] of Records.entries()) {
      if (SequenceNumber !== undefined) ledger.stored(first + index);
    }
  }
}

/**
 * Webhooks at an even pace, every fifth one a repeat that must get the first answer again. There is room for all of them:
 * one that is refused is a problem.
 */
export async function hook({ node, hooks, writing }: Soak, secret: string): Promise<void> {
  let last: { readonly body: string; readonly sequenceNumber: string } | undefined;
  for (let count = 1; !writing.aborted; count += 1) {
    await pause(1000 / HOOKS_PER_SECOND, writing);
    const isRepeat = count % 5 === 0 && last !== undefined;
    const number = isRepeat ? -1 : hooks.take(1);
    const body = isRepeat && last !== undefined ? last.body : `{"number":${number}}\n`;
    const { status, text } = await sendWebhook(`${node.gateway}/hooks`, secret, `id-${body}`.trim(), body);
    if (status !== 200) {
      hooks.problem(`${status} to ${body.trim()}: ${text}`);
      continue;
    }
    const answer = JSON.parse(text) as StoredWebhook;
    if (!isRepeat) hooks.stored(number);
    else if (answer.SequenceNumber !== last?.sequenceNumber) hooks.problem(`a second answer to ${body.trim()}`);
    last = { body, sequenceNumber: answer.SequenceNumber };
  }
}

/** Follows all shards, those that splits and merges make too. */
export async function tail(soak: Soak): Promise<void> {
  const readers = new Map<string, Promise<void>>();
  while (!soak.reading.aborted) {
    for (const { ShardId } of await listShards(soak.node.api, STREAM)) {
      if (!readers.has(ShardId)) readers.set(ShardId, readShard(soak, ShardId));
    }
    // A reader that failed must not wait for the end to say so.
    await Promise.race([pause(1000, soak.reading), Promise.all(readers.values())]);
    if (!soak.reading.aborted) await pause(READ_PAUSE_MS, soak.reading);
  }
  await Promise.all(readers.values());
}

interface Page {
  readonly Records: readonly { readonly Data: string }[];
  readonly NextShardIterator?: string | null;
}

async function readShard({ node, ledgers, reading }: Soak, shardId: string): Promise<void> {
  const first = { StreamName: STREAM, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' };
  const last = ledgers.map(() => -1);
  let { ShardIterator } = (await kinesis(node.api, 'GetShardIterator', first)) as { ShardIterator?: string | null };
  while (typeof ShardIterator === 'string' && !reading.aborted) {
    const page = (await kinesis(node.api, 'GetRecords', { ShardIterator })) as Page;
    for (const { Data } of page.Records) takeRecord(ledgers, Buffer.from(Data, 'base64').toString('latin1'), last);
    ShardIterator = page.NextShardIterator ?? null;
    if (page.Records.length === 0) await pause(READ_PAUSE_MS, reading);
  }
}

function takeRecord(ledgers: readonly Ledger[], text: string, last: number[]): void {
  const [writer, number] = parseRecord(text);
  const ledger = ledgers[writer] ?? ledgers[0];
  if (text !== recordOf(writer, number)) ledger?.problems.push(`changed: ${text.slice(0, 40)}`);
  if (number <= (last[writer] ?? -1)) ledger?.problems.push(`out of order: ${writer}/${number}`);
  last[writer] = number;
  ledger?.read(number);
}

/** Writer and number of a record; NaN for what is none. */
export function parseRecord(text: string): readonly [number, number] {
  const [, writer, number] = /^(\d+)\/(\d+);/.exec(text) ?? [];
  return [Number(writer ?? Number.NaN), Number(number ?? Number.NaN)];
}

/** Splits and merges now and then. */
export async function reshard({ node, writing }: Soak): Promise<void> {
  while (!writing.aborted) {
    await pause(RESHARD_MS, writing);
    if (!writing.aborted) await reshardOnce(node.api, STREAM);
  }
}

/** A stream that comes, takes eight MiB and goes. */
export async function churn({ node, writing }: Soak): Promise<void> {
  const Data = Buffer.alloc(64 * 1024, 'gone soon ').toString('base64');
  for (let count = 0; !writing.aborted; count += 1) {
    await pause(CHURN_MS, writing);
    if (writing.aborted) return;
    const StreamName = `short-${count}`;
    await kinesis(node.api, 'CreateStream', { StreamName, ShardCount: 1 });
    for (let put = 0; put < 8; put += 1) {
      const Records = Array.from({ length: 16 }, (_, index) => ({ Data, PartitionKey: String(index) }));
      await kinesis(node.api, 'PutRecords', { StreamName, Records });
    }
    await kinesis(node.api, 'DeleteStream', { StreamName });
  }
}
