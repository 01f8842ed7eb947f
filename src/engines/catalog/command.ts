import { EnvironmentError } from '../../kernel/errors.ts';
import type { CatalogOp, Json } from '../../ports/catalog.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { canonicalJson } from '../../kernel/json.ts';

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
}

const VERSION = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text of operations inside a command: `k` key, `e` expected revision or null, `p` value put, `d` removal. */
export function encodeOps(ops: readonly CatalogOp[]): string {
  return canonicalJson(ops.map(encodeOp));
}

/** The bytes of a command whose operations `encodeOps` has written. */
export function encodeCommand(command: Omit<Command, 'ops'>, opsText: string): Uint8Array {
  const ends = command.ends ? '"end":true,' : '';
  const opened = command.opened === undefined ? '' : `"o":"${command.opened}",`;
  const session = JSON.stringify(command.session);
  return encoder.encode(`{${ends}${opened}"ops":${opsText},"q":${command.sequence},"s":${session},"v":${VERSION}}`);
}

/** Reads a command. EnvironmentError for a version or shape this release does not know: then folding stops. */
export function decodeCommand(bytes: Uint8Array): Command {
  const parsed = parse(bytes);
  const version = member(parsed, 'v');
  if (version !== VERSION) throw unreadable(`of version ${JSON.stringify(version) ?? 'none'}`);
  const session = member(parsed, 's');
  const sequence = member(parsed, 'q');
  const opened = member(parsed, 'o');
  const ops = member(parsed, 'ops');
  if (typeof session !== 'string' || !Number.isSafeInteger(sequence) || !Array.isArray(ops) || !isPosition(opened)) {
    throw unreadable('of an unknown shape');
  }
  return {
    session,
    sequence: sequence as number,
    ...(opened === undefined ? {} : { opened: BigInt(opened) }),
    ops: ops.map(decodeOp),
    ends: member(parsed, 'end') === true,
  };
}

function encodeOp(op: CatalogOp): Json {
  const expect = op.expect === undefined ? {} : { e: op.expect === null ? null : op.expect.toString() };
  return 'remove' in op ? { k: op.key, ...expect, d: true } : { k: op.key, ...expect, p: op.put };
}

function decodeOp(value: unknown): CatalogOp {
  const key = member(value, 'k');
  const text = member(value, 'e');
  const put = member(value, 'p');
  if (typeof key !== 'string' || !(text === null || isPosition(text))) throw unreadable('with an unknown operation');
  const expect = text === undefined ? {} : { expect: text === null ? null : BigInt(text) };
  if (member(value, 'd') === true) return { key, ...expect, remove: true };
  if (put === undefined) throw unreadable('with an unknown operation');
  return { key, ...expect, put: put as Json };
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
