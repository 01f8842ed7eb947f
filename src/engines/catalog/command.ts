import { EnvironmentError } from '../../kernel/errors.ts';
import type { CatalogOp, Json, LeaseRequest } from '../../ports/catalog.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { canonicalJson } from '../../kernel/json.ts';

/** What everybody must have folded up to one place: the hash of the state's bytes, in hexadecimal. */
export interface Digest {
  /** First offset not covered. */
  readonly at: Offset;
  /** Of the snapshot's bytes: hashes of different formats cannot be compared. */
  readonly format: number;
  readonly hash: string;
}

/** Makes the state right behind the command a snapshot, wherever it is folded. */
export interface Marker {
  /** What its writer found at an earlier marker, if it knows: whoever folded something else there must stop. */
  readonly previous?: Digest;
}

/**
 * One proposal as it stands in the log. `session` and `sequence` name it: a command that reaches the log twice is
 * folded once. The first command of a session has sequence 1 and opens it; each later one names the offset at which
 * that happened, so that late copies of a whole session that is over do not bring it back.
 */
export interface Command {
  readonly session: string;
  readonly sequence: number;
  /** Offset of the session's opening; absent in the opening itself. */
  readonly opened?: Offset;
  readonly ops: readonly CatalogOp[];
  /** The session ends with this command. */
  readonly ends: boolean;
  readonly marker?: Marker;
}

/**
 * 2 brought leases, `keep` and markers, 3 shards with keys of their own; what older commands mean has not changed.
 */
const VERSION = 3;
const VERSION_OLDEST = 1;
const OWNER_CHARACTERS_MAX = 256;
const TTL_MS_MAX = 24 * 3_600_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of operations inside a command: `k` key, `e` expected revision or null, then `p` value put, `d` removal, `l`
 * lease or `c` for a condition alone.
 */
export function encodeOps(ops: readonly CatalogOp[]): string {
  return canonicalJson(ops.map(encodeOp));
}

/** The bytes of a command whose operations `encodeOps` has written. */
export function encodeCommand(command: Omit<Command, 'ops'>, opsText: string): Uint8Array {
  const ends = command.ends ? '"end":true,' : '';
  const opened = command.opened === undefined ? '' : `"o":"${command.opened}",`;
  const session = JSON.stringify(command.session);
  const marker = command.marker === undefined ? '' : `"m":${encodeMarker(command.marker)},`;
  return encoder.encode(
    `{${ends}${marker}${opened}"ops":${opsText},"q":${command.sequence},"s":${session},"v":${VERSION}}`,
  );
}

/** Whether a lease may be asked for in this way. */
export function isLeaseRequest(request: unknown): request is LeaseRequest {
  const owner = member(request, 'owner');
  const ttlMs = member(request, 'ttlMs');
  const isOwner = typeof owner === 'string' && owner.length > 0 && owner.length <= OWNER_CHARACTERS_MAX;
  return isOwner && Number.isSafeInteger(ttlMs) && (ttlMs as number) >= 1 && (ttlMs as number) <= TTL_MS_MAX;
}

/** Reads a command. EnvironmentError for a version or shape this release does not know: then folding stops. */
export function decodeCommand(bytes: Uint8Array): Command {
  const parsed = parse(bytes);
  const version = member(parsed, 'v');
  if (typeof version !== 'number' || version < VERSION_OLDEST || version > VERSION || !Number.isInteger(version)) {
    throw unreadable(`of version ${JSON.stringify(version) ?? 'none'}`);
  }
  const session = member(parsed, 's');
  const sequence = member(parsed, 'q');
  const opened = member(parsed, 'o');
  const ops = member(parsed, 'ops');
  const marker = member(parsed, 'm');
  if (typeof session !== 'string' || !Number.isSafeInteger(sequence) || !Array.isArray(ops) || !isPosition(opened)) {
    throw unreadable('of an unknown shape');
  }
  return {
    session,
    sequence: sequence as number,
    ...(opened === undefined ? {} : { opened: BigInt(opened) }),
    ops: ops.map(decodeOp),
    ends: member(parsed, 'end') === true,
    ...(marker === undefined ? {} : { marker: decodeMarker(marker) }),
  };
}

function encodeMarker({ previous }: Marker): string {
  if (previous === undefined) return '{}';
  const { at, format, hash } = previous;
  return canonicalJson({ at: at.toString(), f: format, h: hash });
}

function decodeMarker(value: unknown): Marker {
  const at = member(value, 'at');
  const format = member(value, 'f');
  const hash = member(value, 'h');
  if (typeof value !== 'object' || value === null || !isPosition(at)) throw unreadable('with an unknown marker');
  if (at === undefined) return {};
  if (!Number.isSafeInteger(format) || typeof hash !== 'string') throw unreadable('with an unknown marker');
  return { previous: { at: BigInt(at), format: format as number, hash } };
}

function encodeOp(op: CatalogOp): Json {
  const head = { k: op.key, ...(op.expect === undefined ? {} : { e: op.expect === null ? null : `${op.expect}` }) };
  if ('put' in op) return { ...head, p: op.put };
  if ('lease' in op) return { ...head, l: { o: op.lease.owner, t: op.lease.ttlMs } };
  return 'remove' in op ? { ...head, d: true } : { ...head, c: true };
}

function decodeOp(value: unknown): CatalogOp {
  const key = member(value, 'k');
  const text = member(value, 'e');
  const put = member(value, 'p');
  const asked = member(value, 'l');
  if (typeof key !== 'string' || !(text === null || isPosition(text))) throw unreadable('with an unknown operation');
  const expect = text === undefined ? {} : { expect: text === null ? null : BigInt(text) };
  if (member(value, 'd') === true) return { key, ...expect, remove: true };
  if (put !== undefined) return { key, ...expect, put: put as Json };
  const lease = { owner: member(asked, 'o'), ttlMs: member(asked, 't') };
  if (isLeaseRequest(lease)) return { key, ...expect, lease };
  if (member(value, 'c') !== true || expect.expect === undefined) throw unreadable('with an unknown operation');
  return { key, expect: expect.expect, keep: true };
}

function isPosition(text: unknown): text is string | undefined {
  return text === undefined || (typeof text === 'string' && /^\d{1,20}$/.test(text));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw unreadable('that is no JSON');
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function unreadable(what: string): EnvironmentError {
  return new EnvironmentError(
    'EOTHER',
    `the catalog's log holds a command ${what}: it was written by another release; start that release or a newer one`,
  );
}
