import { Binary, Int32, Long, type Document } from 'bson';
import { isChangeStream } from './change-stream.ts';
import { timestampOf } from './change-log.ts';
import { COMMANDS } from './commands/index.ts';
import { checkFields, type Call, type Command } from './commands/command.ts';
import { PeerError } from './errors.ts';
import { BY_SCRIPT, type Failure } from './fail-points.ts';
import { isDocument, keyOf, numberOf } from './values.ts';

/** Members of all commands. Those without effect are about waiting for, or choosing among, members of a set of one. */
const COMMON_FIELDS = [
  '$clusterTime',
  '$db',
  '$readPreference',
  'apiDeprecationErrors',
  'apiStrict',
  'apiVersion',
  'comment',
  'lsid',
  'maxTimeMS',
  'readConcern',
  'txnNumber',
  'writeConcern',
];
/** Codes after which a change stream goes on (driver specifications: change streams, resumable errors). */
const RESUMABLE = new Set([
  6, 7, 43, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10_107, 11_600, 11_602, 13_388, 13_435, 13_436,
]);
/** Codes after which a write is tried again (driver specifications: retryable writes). */
const RETRYABLE = new Set([6, 7, 89, 91, 134, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436]);
const SESSIONS_MAX = 1000;

/** What a connection does about a command. */
export interface Verdict {
  readonly answer: Document;
  /** End the connection instead of answering. */
  readonly isDropped: boolean;
}

/** Runs commands: failures by script first, then the table of commands; refused ones are answers, too. */
export class Dispatcher {
  readonly #sessions = new Map<string, { readonly number: bigint; readonly answer: Document }>();

  async run(call: Call): Promise<Verdict> {
    const name = Object.keys(call.body)[0] ?? '';
    const failure = name === 'configureFailPoint' ? undefined : call.state.failPoints.take(name);
    if (failure?.closeConnection === 'before') return { answer: {}, isDropped: true };
    const isWhole = failure?.errorCode !== undefined && failure.writeErrorAt === undefined;
    const answer = isWhole ? scripted(name, call, failure) : await this.#answer(name, { ...call, failure });
    return { answer: { ...answer, ...gossip(call) }, isDropped: failure?.closeConnection === 'after' };
  }

  async #answer(name: string, call: Call): Promise<Document> {
    try {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (command === undefined) throw new PeerError('CommandNotFound', `no such command: '${name}'`);
      refuseTransaction(call.body);
      if (command.fields !== undefined) checkFields(call.body, [name, ...COMMON_FIELDS, ...command.fields], name);
      const answer = await this.#once(command, call);
      return { ...answer, ok: 1 };
    } catch (error) {
      return refusal(error);
    }
  }

  /** A repeat of a session's last write gets that write's answer, and nothing is written again. */
  async #once(command: Command, call: Call): Promise<Document> {
    const given = numberOf(call.body['txnNumber']);
    const session: unknown = isDocument(call.body['lsid']) ? call.body['lsid']['id'] : undefined;
    if (command.isRetryable !== true || given === undefined || session === undefined) return await command.run(call);
    const [key, number] = [keyOf(session), BigInt(given)];
    const last = this.#sessions.get(key);
    if (last !== undefined && number === last.number) return last.answer;
    if (last !== undefined && number < last.number) {
      throw new PeerError('TransactionTooOld', `txnNumber ${number} is older than ${last.number}`);
    }
    const answer = await command.run(call);
    this.#sessions.delete(key);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(key, { number, answer });
    return answer;
  }
}

/** A write that may be retried has the transaction's number alone. */
function refuseTransaction(body: Document): void {
  if (body['autocommit'] === undefined && body['startTransaction'] === undefined) return;
  throw new PeerError('OperationNotSupportedInTransaction', 'this peer has no transactions');
}

function scripted(name: string, { body }: Call, { errorCode = 0, errorLabels, errorMessage }: Failure): Document {
  const stages: unknown = body['pipeline'];
  const isWatched = name === 'getMore' || (Array.isArray(stages) && isChangeStream(stages));
  const labels = [
    ...(isWatched && RESUMABLE.has(errorCode) ? ['ResumableChangeStreamError'] : []),
    ...(body['txnNumber'] !== undefined && RETRYABLE.has(errorCode) ? ['RetryableWriteError'] : []),
  ];
  return {
    ok: 0,
    errmsg: errorMessage ?? BY_SCRIPT,
    code: new Int32(errorCode),
    errorLabels: errorLabels ?? labels,
  };
}

function refusal(error: unknown): Document {
  const known = error instanceof PeerError ? error : undefined;
  // Nested beyond what the stack holds, or a value that BSON cannot hold: the sender's fault, as all that is left here.
  const { code, codeName, labels, details, message } =
    known ?? new PeerError(error instanceof RangeError ? 'Overflow' : 'InvalidBSON', String(error));
  return {
    ok: 0,
    errmsg: message,
    code: new Int32(code),
    codeName,
    ...details,
    ...(labels.length > 0 && { errorLabels: labels }),
  };
}

/** The set's time in every answer, as members of a replica set tell it. */
function gossip({ state }: Call): Document {
  const time = timestampOf(state.log.latest);
  const signature = { hash: new Binary(Buffer.alloc(20)), keyId: Long.fromNumber(0) };
  return { operationTime: time, $clusterTime: { clusterTime: time, signature } };
}
