import { ENTRY_FIXED_BYTES } from '../../kernel/stream/packed-entries.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { isScattered } from './cleaning-policy.ts';
import { type Damaged, foldExtent, foldFooter, isKnown, repeatsRecords } from './fold-extent.ts';
import { findFooter, readFooter, type Footer } from './footer.ts';
import {
  damage,
  isBefore,
  type LogPosition,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type SegmentHeader,
} from './format.ts';
import { closeHoles } from './holes.ts';
import { looksWritten } from './looks-written.ts';
import type { FoundCommit, FoundExtents } from './read-commit.ts';
import {
  hadBeginning,
  readEvidence,
  readSegmentStart,
  scanSegment,
  type SegmentName,
  type SegmentStart,
} from './scan-segment.ts';
import { Segment } from './segment.ts';
import { CATALOG_SHARD, NUMBERS_SHARD, type ShardState, ShardTable } from './shard-table.ts';

const REWRITE_BYTES = 1024 * 1024;
/**
 * Numbers that a shard gives up where records may be gone of which nothing is known any more, for each start since the
 * last one whose word of the shard is left. All that no sync confirmed stands in one file, and an entry takes 8 bytes
 * at least; but a start in between may have given up as many before it gave the next ones, and its word may be gone.
 */
const SKIPPED = 2 ** 24;

/** What a start knows of the log before it looks. */
export interface Expected {
  /** Whether records were answered before their sync: then an end that nothing vouches for may have lost some. */
  readonly isLossy: boolean;
  /** Commands below are in a snapshot of the catalog; 0: there is none. */
  readonly catalogEnd: number;
  /** The epoch of this start: above those of all starts before. */
  readonly epoch: number;
}

/** What the disk holds, once the torn tail is cut and the rest is known to be durable. */
export interface Recovered {
  /** In the order of their records. */
  readonly segments: readonly Segment[];
  readonly table: ShardTable;
  readonly nextSegment: number;
  readonly lastCommit: number;
  readonly synced: LogPosition | undefined;
  readonly cutBytes: number;
  /** When the newest record arrived, in ms; undefined when there is none. */
  readonly lastAt: number | undefined;
  /** Sentences that name the damaged places. */
  readonly damaged: readonly string[];
}

/** A file that was found. */
interface Found extends SegmentStart {
  readonly path: string;
  readonly name: SegmentName;
  readonly size: number;
  readonly footer: Footer | undefined;
  readonly footerBytes: number;
}

/**
 * Rebuilds what is known of the log's shards: from the footers of sealed segments, and by reading those that have none.
 * Cuts what the last writes before a crash left unfinished; a damaged place is named, and everything else is kept.
 * Rejects with an EnvironmentError: EOTHER for a newer on-disk format, EIO for two files with one number.
 */
export async function recover(environment: Environment, directory: string, expected: Expected): Promise<Recovered> {
  const { files } = environment;
  const listed = await files.list(directory);
  for (const name of listed) if (name.endsWith('.log.tmp')) await files.remove(`${directory}/${name}`);
  const names = listed.map(parseSegmentName).filter((name) => name !== undefined);
  names.sort((left, right) => left.segment - right.segment || left.epoch - right.epoch);
  const found: Found[] = [];
  for (const [at, name] of names.entries()) {
    const path = `${directory}/${segmentName(name.segment, name.epoch)}`;
    if (names[at - 1]?.segment === name.segment) throw damage(path, 0, 'another file has the same number');
    found.push(await look(environment, path, name));
  }
  const recovery = new Recovery(environment, directory, expected);
  return await recovery.run(found, (names.at(-1)?.segment ?? 0) + 1);
}

async function look(environment: Environment, path: string, name: SegmentName): Promise<Found> {
  return await withFile(environment, path, 'read', async (file) => {
    const size = await file.size();
    const start = await readSegmentStart(file, size, name);
    const { header } = start;
    const place = header === undefined ? undefined : await findFooter(file, size, header.salt);
    const footer = place === undefined ? undefined : await readFooter(file, place);
    return { ...start, path, name, size, footer, footerBytes: place?.bytes ?? 0 };
  });
}

async function withFile<T>(
  environment: Environment,
  path: string,
  mode: 'read' | 'write',
  work: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await environment.files.open(path, mode);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

class Recovery {
  readonly #environment: Environment;
  readonly #directory: string;
  readonly #expected: Expected;
  readonly #table = new ShardTable();
  readonly #segments: Segment[] = [];
  readonly #damaged: string[] = [];
  /** Up to where the disk had confirmed what was written. */
  #durable: LogPosition = { segment: 0, position: 0 };
  /** By segment: the furthest place that a commit says was durable. */
  readonly #synced = new Map<number, number>();
  /** Parts of the journal that were complete when a later one began: what stands behind their end is no torn commit. */
  readonly #complete = new Set<number>();
  /** Settled files of which not all is to be taken: the rest stands in others. */
  readonly #repeating = new Set<Segment>();
  /** The file behind the last one with a footer. */
  #begun: number | undefined;
  #cut: LogPosition | undefined;
  #cutBytes = 0;
  #lastCommit = 0;
  /** Whether the newest part of the journal may be a file that has lost its beginning. */
  #isNewestUnknown = false;
  /** Whether the last commit is the one of a clean stop, behind which nothing was written. */
  #endsCleanly = false;

  constructor(environment: Environment, directory: string, expected: Expected) {
    this.#environment = environment;
    this.#directory = directory;
    this.#expected = expected;
  }

  async run(all: readonly Found[], nextSegment: number): Promise<Recovered> {
    const found = await this.#removeReplaced(all);
    await this.#findDurable(found);
    found.sort((one, other) => placeOf(one) - placeOf(other));
    for (const one of found) await this.#fold(one);
    for (const problem of closeHoles(this.#table, this.#areStartsKept())) this.#note(problem);
    await this.#secure();
    this.#prepareNumbers();
    const skipped = this.#mayHaveLost(found) ? SKIPPED : 0;
    let lastAt = 0;
    for (const state of this.#table.all()) {
      lastAt = Math.max(lastAt, state.lastAt);
      state.advanceStart(state.shares[0]?.first ?? state.end);
      this.#leaveGap(state, skipped);
      state.ahead = { end: state.end, at: state.lastAt, closed: state.closed, definedIn: -1 };
      this.#table.forgetIfGone(state);
    }
    const last = this.#segments.findLast((segment) => !segment.isSettled);
    return {
      segments: this.#segments,
      table: this.#table,
      nextSegment,
      lastCommit: this.#lastCommit,
      synced: last === undefined ? undefined : { segment: last.number, position: last.end },
      cutBytes: this.#cutBytes,
      lastAt: lastAt === 0 ? undefined : lastAt,
      damaged: this.#damaged,
    };
  }

  /**
   * A settled file is complete before it gets its name: what it took over from is needed no more, nor is another that
   * was made of the same files, or of some of them.
   */
  async #removeReplaced(all: readonly Found[]): Promise<Found[]> {
    const replaced = new Set(all.flatMap(({ footer }) => footer?.sources ?? []));
    for (const one of madeOfOthers(all)) replaced.add(one.name.segment);
    const gone = all.filter(({ name }) => replaced.has(name.segment));
    // The settled file's own name may not be durable yet, and must be before theirs go.
    if (gone.length > 0) await this.#environment.files.syncDirectory(this.#directory);
    for (const { path } of gone) await this.#environment.files.remove(path);
    if (gone.length > 0) await this.#environment.files.syncDirectory(this.#directory);
    return all.filter(({ name }) => !replaced.has(name.segment));
  }

  /** Up to where the disk had confirmed what was written: sealed segments whole, behind them as commits tell. */
  async #findDurable(found: readonly Found[]): Promise<void> {
    const journal = found.filter(({ header }) => header?.settledFrom === 0);
    const sealed = journal.findLast(({ footer }) => footer !== undefined)?.name.segment ?? Infinity;
    // A footer is written once the next file has a durable commit, whatever became of that since.
    this.#begun = found.find(
      ({ name, header }) => name.segment > sealed && (header?.settledFrom ?? 0) === 0,
    )?.name.segment;
    for (const { name, synced, footer } of journal) {
      if (synced !== undefined) this.#noteDurable(synced, name);
      if (footer !== undefined) this.#noteDurable({ segment: name.segment, position: footer.end }, name);
    }
    for (const { path, name, size, header, footer } of journal.toReversed()) {
      if (header === undefined || footer !== undefined) return;
      const commits = await withFile(this.#environment, path, 'read', async (file) =>
        readEvidence({ file, size, header }, (place) => this.#noteDurable(place, name)),
      );
      if (commits > 0) return;
    }
  }

  /** `teller`: the file that says so; one that came later was begun when all of the other was durable. */
  #noteDurable(place: LogPosition, teller: SegmentName): void {
    if (place.segment < teller.segment) this.#complete.add(place.segment);
    this.#synced.set(place.segment, Math.max(this.#synced.get(place.segment) ?? 0, place.position));
    if (isBefore(this.#durable, place)) this.#durable = place;
  }

  /** Up to where a file's bytes were confirmed: a bad place before is damage. */
  #durableEnd(segment: number): number {
    const known = this.#synced.get(segment) ?? 0;
    if (segment >= this.#durable.segment) return segment === this.#durable.segment ? known : 0;
    // Of an older file all was. Where the one that tells its end is gone, what it says itself of a part is not all.
    return this.#complete.has(segment) ? known : Infinity;
  }

  async #fold(found: Found): Promise<void> {
    const { path, size, header, footer, isDamaged } = found;
    if (header === undefined) return await this.#foldUnknown(found);
    const isJournal = header.settledFrom === 0;
    if (isJournal && this.#cut !== undefined) return await this.#cutAway(path, size);
    const segment = new Segment(this.#directory, header);
    segment.fileBytes = size;
    segment.damagesBefore = this.#table.damage.places;
    if (isDamaged && size > SEGMENT_HEADER_BYTES)
      this.#damagedIn(segment)(0, 'the header of a segment does not match its checksum');
    if (footer === undefined) return await this.#scan(segment, { path, size, header, isJournal });
    if (repeatsRecords(this.#table, footer)) {
      this.#noteRepeats(segment, footer);
      return await this.#scan(segment, { path, size: footer.end, header, isJournal });
    }
    segment.end = footer.end;
    segment.commitCount = footer.commitCount;
    segment.lastCommit = footer.lastCommit;
    segment.sources = footer.sources;
    segment.footer = { position: footer.end, bytes: found.footerBytes };
    foldFooter(this.#table, segment, footer);
    segment.damagesAfter = this.#table.damage.places;
    segment.index = footer.index;
    segment.isScattered = isScattered(segment);
    segment.index = undefined;
    segment.isBegun = true;
    if (isJournal) this.#lastCommit = Math.max(this.#lastCommit, footer.lastCommit);
    this.#segments.push(segment);
    return undefined;
  }

  /** A file whose header is not there: never finished, or damaged. */
  async #foldUnknown({ path, name, size }: Found): Promise<void> {
    if (this.#durableEnd(name.segment) === 0 && name.segment !== this.#begun) {
      const isDamaged = await withFile(this.#environment, path, 'read', async (file) => hadBeginning(file, size, name));
      if (!isDamaged) return await this.#cutAway(path, size);
      this.#isNewestUnknown = true;
    }
    this.#note(damage(path, 0, 'no header of a segment').message);
    return undefined;
  }

  async #scan(
    segment: Segment,
    { path, size, header, isJournal }: { path: string; size: number; header: SegmentHeader; isJournal: boolean },
  ): Promise<void> {
    const damaged = this.#damagedIn(segment);
    const durableEnd = isJournal ? this.#durableEnd(segment.number) : size;
    const isDurable = (position: number): boolean => position < durableEnd;
    const { end, torn, isWritten } = await withFile(this.#environment, path, 'read', async (file) => {
      const scanned = { file, size, header };
      const found = await scanSegment(scanned, {
        commit: (commit) => this.#commit(segment, commit, damaged),
        rest: (rest) => this.#extents(segment, rest, damaged),
        isDurable,
        damaged,
      });
      return { ...found, isWritten: found.torn !== undefined && (await looksWritten(scanned, found.end)) };
    });
    segment.end = end;
    // Behind the end of an older segment stands a footer that was not finished, or is damaged.
    const isOlder = segment.number < this.#durable.segment || this.#complete.has(segment.number);
    const isTorn = torn !== undefined && !isOlder;
    if (isTorn) this.#cut = { segment: segment.number, position: end };
    if (isTorn && isWritten) this.#noteDoubt(path, end, size);
    if (segment.commitCount === 0 && durableEnd === 0) return await this.#cutAway(path, size);
    if (isTorn) this.#noteCut(path, end, size);
    this.#checkEnd(segment);
    segment.isBegun = segment.commitCount > 0;
    segment.damagesAfter = this.#table.damage.places;
    this.#segments.push(segment);
    return undefined;
  }

  /** Two settled files made of some of the same: a record is read from the first, and nothing is made of the other. */
  #noteRepeats(segment: Segment, { end }: Footer): void {
    this.#repeating.add(segment);
    this.#damagedIn(segment)(end, 'its footer tells of records that a file in front of it holds');
  }

  #commit(segment: Segment, commit: FoundCommit, damaged: Damaged): void {
    const { number, position } = commit.header;
    if (!segment.isSettled && number <= this.#lastCommit) {
      return damaged(position, `commit ${number} stands there again`);
    }
    if (!segment.isSettled) this.#lastCommit = number;
    segment.commitCount += 1;
    segment.lastCommit = number;
    const { bodyBytes, synced } = commit.header;
    this.#endsCleanly = bodyBytes === 0 && synced.segment === segment.number && synced.position === position;
    this.#extents(segment, commit, damaged);
    return undefined;
  }

  #extents(segment: Segment, { extents, lostBytes }: FoundExtents, damaged: Damaged): void {
    for (const extent of extents) {
      if (this.#repeating.has(segment) && isKnown(this.#table, extent)) continue;
      foldExtent(this.#table, segment, extent, damaged);
    }
    this.#table.damage.lostBytes += lostBytes;
  }

  /** Who knows of the number at which new shards begin writes where shards start before a file goes. */
  #areStartsKept(): boolean {
    const numbers = this.#table.find(NUMBERS_SHARD);
    const newest = this.#segments.findLast((segment) => !segment.isSettled);
    return numbers !== undefined && newest?.shares.has(numbers.id) === true;
  }

  /** The number at which new shards begin is known from the first start on. */
  #prepareNumbers(): void {
    const numbers = this.#table.find(NUMBERS_SHARD) ?? this.#table.create(NUMBERS_SHARD);
    numbers.closed = true;
    if (this.#expected.catalogEnd > 0 && this.#table.find(CATALOG_SHARD) === undefined)
      this.#table.create(CATALOG_SHARD);
  }

  /** Whether records that were answered may be gone without a trace in the files that are left. */
  #mayHaveLost(found: readonly Found[]): boolean {
    const newest = found.findLast(({ header }) => header?.settledFrom === 0);
    // A file is sealed once the next one has a commit.
    const isNewestGone = newest?.footer !== undefined;
    if (isNewestGone && this.#begun === undefined)
      this.#note(damage(newest.path, newest.size, 'the file that came behind it is gone').message);
    const { catalogEnd, isLossy } = this.#expected;
    const end = this.#table.find(CATALOG_SHARD)?.end ?? 0;
    if (catalogEnd > end)
      this.#note(
        `the log is damaged: it ends in front of command ${catalogEnd} of the catalog, which a snapshot knows`,
      );
    const isGone = isNewestGone || this.#isNewestUnknown;
    return isGone || catalogEnd > end || (isLossy && newest !== undefined && !this.#endsCleanly);
  }

  /** Records may have been lost behind the shard's last one: their numbers must not be given again. */
  #leaveGap(state: ShardState, skipped: number): void {
    const isNumbers = state === this.#table.find(NUMBERS_SHARD);
    if (state.dropped || (state.closed && !isNumbers)) return;
    const lostBytes = this.#table.damage.lostBytes - state.lostBefore;
    const before = state.end;
    const { catalogEnd, epoch } = this.#expected;
    const starts = Math.max(1, epoch - (state.toldIn ?? 0));
    state.skip(before + Math.max(Math.ceil(lostBytes / ENTRY_FIXED_BYTES), skipped * starts));
    if (state !== this.#table.find(CATALOG_SHARD) || catalogEnd <= before) return;
    state.skip(catalogEnd);
    // What the snapshot knows and the log does not must not be folded without it.
    state.start = catalogEnd;
  }

  /** A file that ends in front of what was durable in it was cut between two commits, or emptied. */
  #checkEnd(segment: Segment): void {
    const synced = this.#synced.get(segment.number) ?? 0;
    if (segment.end < synced) this.#damagedIn(segment)(segment.end, `${synced} bytes of it were durable`);
  }

  #damagedIn(segment: Segment): Damaged {
    return (position, what) => {
      segment.isDamaged = true;
      this.#note(damage(segment.path, position, what).message);
    };
  }

  #note(damaged: string): void {
    this.#damaged.push(damaged);
    this.#table.damage.places += 1;
  }

  /**
   * Cuts the torn tail and makes sure the rest is on the disk before anybody reads it: what no commit says was durable
   * is written once more, since after a failed sync the system may believe it clean though it never arrived.
   */
  async #secure(): Promise<void> {
    for (const segment of this.#segments) {
      const isLater = !segment.isSettled && segment.footer === undefined && segment.number >= this.#durable.segment;
      if (!isLater) continue;
      const from = segment.number === this.#durable.segment ? this.#durable.position : 0;
      await withFile(this.#environment, segment.path, 'write', async (file) => {
        if (segment.fileBytes > segment.end) await file.truncate(segment.end);
        await rewrite(file, Math.min(from, segment.end), segment.end);
        await file.sync();
      });
      segment.fileBytes = segment.end;
    }
  }

  /** Removes a file that holds nothing anybody was told of. */
  async #cutAway(path: string, size: number): Promise<void> {
    if (size > 0) this.#noteCut(path, 0, size);
    await this.#environment.files.remove(path);
    await this.#environment.files.syncDirectory(this.#directory);
  }

  /** What is cut was written whole, so that it may have been answered: people must know. */
  #noteDoubt(path: string, position: number, size: number): void {
    const what =
      `a commit that seems to have been written whole does not match its checksum; nothing vouches for it, so it was ` +
      `cut, ${size - position} bytes of records that may have been answered`;
    this.#damaged.push(damage(path, position, what).message);
  }

  /** The numbers that the records there may have had are not given again: nobody knows whether they were answered. */
  #noteCut(path: string, position: number, size: number): void {
    // What stands in front may be the end of a clean stop; then somebody wrote behind it.
    this.#endsCleanly = false;
    this.#cutBytes += size - position;
    this.#table.damage.lostBytes += size - position;
    this.#environment.log.warn('log.tail.cut', { path, position, bytes: size - position });
  }
}

/** Settled files of which another one holds all. Only those that name one source in common are looked at in pairs. */
function madeOfOthers(all: readonly Found[]): readonly Found[] {
  const bySource = new Map<number, Found[]>();
  for (const one of all) {
    for (const source of sourcesOf(one)) {
      const others = bySource.get(source);
      if (others === undefined) bySource.set(source, [one]);
      else others.push(one);
    }
  }
  return all.filter((one) => {
    const [first] = sourcesOf(one);
    return first !== undefined && bySource.get(first)?.some((other) => isMadeOfAll(other, one)) === true;
  });
}

/** Whether a settled file holds all that another one holds, and is to stay: of two made of the same, the newer one. */
function isMadeOfAll(settled: Found, other: Found): boolean {
  const [all, some] = [sourcesOf(settled), sourcesOf(other)];
  if (!isWithin(some, all)) return false;
  return !isWithin(all, some) || settled.name.segment > other.name.segment;
}

function sourcesOf({ footer }: Found): ReadonlySet<number> {
  return new Set(footer?.sources);
}

function isWithin(some: ReadonlySet<number>, all: ReadonlySet<number>): boolean {
  return [...some].every((source) => all.has(source));
}

function placeOf({ header, name }: Found): number {
  return header !== undefined && header.settledFrom > 0 ? header.settledFrom : name.segment;
}

async function rewrite(file: OpenFile, from: number, to: number): Promise<void> {
  const bytes = Buffer.alloc(Math.min(to - from, REWRITE_BYTES));
  for (let position = from; position < to;) {
    const part = bytes.subarray(0, to - position);
    const count = await file.read(part, position);
    if (count === 0) throw damage(file.path, position, 'the file ends too early');
    await file.write(part.subarray(0, count), position);
    position += count;
  }
}
