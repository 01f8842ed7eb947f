/** The server's codes that this peer answers with, by their names; see the public list `error_codes.yml`. */
const CODES = {
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  CommandNotFound: 59,
  ImmutableField: 66,
  InvalidNamespace: 73,
  TransactionTooOld: 225,
  InvalidResumeToken: 260,
  OperationNotSupportedInTransaction: 263,
  ChangeStreamFatalError: 280,
  ChangeStreamHistoryLost: 286,
  UnsupportedOpQueryCommand: 352,
  BSONObjectTooLarge: 10_334,
  DuplicateKey: 11_000,
  OutOfDiskSpace: 14_031,
  UnknownField: 40_415,
} as const;

/** Names of the codes. */
export type PeerCode = keyof typeof CODES;

/** A command, or one write of it, that is refused, as a server would say it. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly code: number;
  readonly codeName: string;
  readonly labels: readonly string[];
  /** Members of the answer beside code and message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: PeerCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = CODES[code];
    this.codeName = code;
    this.details = details;
    this.labels = code === 'ChangeStreamHistoryLost' ? ['NonResumableChangeStreamError'] : [];
  }
}

/** Refuses what a real server knows and this peer does not: a wrong answer would be worse than none. */
export function unsupported(what: string): PeerError {
  return new PeerError('BadValue', `${what} is unknown to this peer, which is no database`);
}
