import type { Environment, OpenFile } from '../../ports/environment.ts';
import { foldExtent } from './fold-extent.ts';
import { damage, type LogPosition, parseSegmentName, segmentName } from './format.ts';
import type { FoundCommit } from './read-commit.ts';
import { findEvidence, type Scan, scanSegment } from './scan-segment.ts';
import { Segment } from './segment.ts';
import { ShardTable } from './shard-table.ts';

const REWRITE_BYTES = 1024 * 1024;

/** What the disk holds, once the torn tail is cut and the rest is known to be durable. */
export interface Recovered {
  readonly segments: readonly Segment[];
  readonly table: ShardTable;
  readonly nextSegment: number;
  readonly lastCommit: number;
  readonly synced: LogPosition | undefined;
  readonly cutBytes: number;
}

interface Name {
  readonly segment: number;
  readonly epoch: number;
}

/**
 * Reads the whole log, verifies it, and rebuilds what is known of its shards. Cuts what the last write before a crash
 * left unfinished. Rejects with an EnvironmentError: EIO names a damaged place, EOTHER a newer on-disk format.
 */
export async function recover(environment: Environment, directory: string): Promise<Recovered> {
  const names = (await environment.files.list(directory)).map(parseSegmentName).filter((name) => name !== undefined);
  names.sort((left, right) => left.segment - right.segment || left.epoch - right.epoch);
  const recovery = new Recovery(environment, directory);
  for (const [at, name] of names.entries()) {
    const path = `${directory}/${segmentName(name.segment, name.epoch)}`;
    if (names[at - 1]?.segment === name.segment) throw damage(path, 0, 'another file has the same number');
    await recovery.take(path, name, at === names.length - 1);
  }
  return await recovery.finish((names.at(-1)?.segment ?? 0) + 1);
}

class Recovery {
  readonly #environment: Environment;
  readonly #directory: string;
  readonly #segments: Segment[] = [];
  /** Files without a whole commit. */
  readonly #empty: { readonly segment: Segment; readonly scan: Scan }[] = [];
  readonly #table = new ShardTable();
  /** By segment: the furthest place that a later commit says was durable. */
  readonly #synced = new Map<number, number>();
  #lastCommit = 0;
  #cutBytes = 0;

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  async take(path: string, name: Name, isLast: boolean): Promise<void> {
    const { files } = this.#environment;
    const file = await files.open(path, isLast ? 'write' : 'read');
    try {
      const segment = new Segment(this.#directory, { number: name.segment, epoch: name.epoch, salt: 0 }, 0);
      const scan = await scanSegment(file, name, (commit) => this.#commit(segment, commit));
      segment.end = scan.end;
      if (scan.bad !== undefined) await this.#judge(file, path, name, scan, isLast);
      if (scan.end === 0) this.#empty.push({ segment, scan });
      else this.#segments.push(segment);
      if (scan.end > 0 && isLast) await this.#secure(file, name.segment, scan);
    } finally {
      await file.close();
    }
  }

  async finish(nextSegment: number): Promise<Recovered> {
    for (const segment of [...this.#segments, ...this.#empty.map((empty) => empty.segment)]) {
      const synced = this.#synced.get(segment.number) ?? 0;
      if (segment.end < synced) throw damage(segment.path, segment.end, `${synced} bytes of it were durable`);
    }
    for (const { segment, scan } of this.#empty) await this.#removeEmpty(segment.path, scan);
    for (const state of this.#table.all()) this.#table.forgetIfGone(state);
    const last = this.#segments.at(-1);
    return {
      segments: this.#segments,
      table: this.#table,
      nextSegment,
      lastCommit: this.#lastCommit,
      synced: last === undefined ? undefined : { segment: last.number, position: last.end },
      cutBytes: this.#cutBytes,
    };
  }

  /** A bad place is the torn end of the last write, or it is damage. */
  async #judge(file: OpenFile, path: string, name: Name, scan: Scan, isLast: boolean): Promise<void> {
    const { position, what } = scan.bad ?? { position: 0, what: '' };
    if (!isLast) throw damage(path, position, what);
    const bad = { position, size: scan.size };
    const evidence = await findEvidence(file, name, scan.header, bad);
    if (evidence !== undefined) {
      throw damage(path, position, `${what}, though the commit at byte ${evidence.position} says it was durable`);
    }
  }

  /**
   * Cuts the torn tail and makes sure the rest is on the disk before anybody reads it: what no later commit says was
   * durable is written once more, since after a failed sync the system may believe it clean though it never arrived.
   */
  async #secure(file: OpenFile, number: number, scan: Scan): Promise<void> {
    if (scan.size > scan.end) {
      await file.truncate(scan.end);
      this.#noteCut(file.path, scan);
    }
    let position = Math.min(this.#synced.get(number) ?? 0, scan.end);
    const bytes = Buffer.alloc(Math.min(scan.end - position, REWRITE_BYTES));
    while (position < scan.end) {
      const part = bytes.subarray(0, scan.end - position);
      const count = await file.read(part, position);
      if (count === 0) throw damage(file.path, position, 'the file ends too early');
      await file.write(part.subarray(0, count), position);
      position += count;
    }
    await file.sync();
  }

  async #removeEmpty(path: string, scan: Scan): Promise<void> {
    if (scan.size > 0) this.#noteCut(path, scan);
    await this.#environment.files.remove(path);
    await this.#environment.files.syncDirectory(this.#directory);
  }

  #noteCut(path: string, scan: Scan): void {
    const bytes = scan.size - scan.end;
    this.#cutBytes += bytes;
    this.#environment.log.warn('log.tail.cut', { path, position: scan.end, bytes });
  }

  #commit(segment: Segment, commit: FoundCommit): void {
    const { synced, number, position } = commit.header;
    if (number <= this.#lastCommit) throw damage(segment.path, position, `commit ${number} stands there again`);
    this.#lastCommit = number;
    this.#synced.set(synced.segment, Math.max(this.#synced.get(synced.segment) ?? 0, synced.position));
    segment.commitCount += 1;
    for (const extent of commit.extents) foldExtent(this.#table, segment, extent);
  }
}
