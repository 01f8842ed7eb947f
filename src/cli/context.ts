import type { ConfigFinding } from '../kernel/schema/config-finding.ts';
import type { ScriptRuntime } from '../ports/script.ts';

/** How a node is run from the command line. */
export interface RunOptions {
  readonly mode: 'dev' | 'start';
  /** Path as given; undefined: `millrace.yaml` when it exists. */
  readonly file: string | undefined;
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
  readonly ephemeral: boolean;
  readonly log: 'pretty' | 'json';
  /** Undefined: as the config says. */
  readonly sync: 'always' | 'interval' | 'none' | undefined;
  readonly unsafe: boolean;
}

/** One finding of `doctor`. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly detail: string;
}

/** What `lint` looks at. */
export interface LintOptions {
  /** Path as given; undefined: `millrace.yaml` when it exists. */
  readonly file: string | undefined;
  /** Where `dev` keeps the secrets that it made up. */
  readonly data: string;
}

/** One finding of `lint`. */
export interface LintFinding extends ConfigFinding {
  readonly level: 'error' | 'warning';
}

/** What signs requests. */
export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request to be signed: all its headers are, under lower-case names; `now` is ms. */
export interface ToSign extends KeyPair {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly service: string;
  readonly region: string;
  readonly now: number;
}

/** Everything a command may touch; main makes it, tests replace it. */
export interface CliContext {
  /** Words after the program's name. */
  readonly args: readonly string[];
  readonly version: string;
  out(text: string): void;
  err(text: string): void;
  /** Resolves when whoever reads stdout took all that was written; never when it stays and does not read. */
  taken(): Promise<void>;
  variable(name: string): string | undefined;
  readonly fetch: typeof fetch;
  /** The headers with those that sign the request as AWS clients do. */
  sign(request: ToSign): Readonly<Record<string, string>>;
  /** The key pair of that AWS profile, else of the environment; undefined when there is none. CliErrors. */
  keyPair(profile?: string): Promise<KeyPair | undefined>;
  /** Aborts at Ctrl-C. */
  readonly interrupted: AbortSignal;
  now(): number;
  uuid(): string;
  readonly stdin: AsyncIterable<unknown> & { readonly isTTY?: boolean };
  readFile(path: string): Promise<Uint8Array>;
  /** Writes a file whole, with the folders above it. */
  writeFile(path: string, text: string): Promise<void>;
  /** Fixtures that come with the package: `github.push` and so on, with their bytes. */
  fixtures(): Promise<ReadonlyMap<string, Uint8Array>>;
  /** The values of a config file's secrets as the node in that data directory has them. */
  secrets(data: string): Promise<Readonly<Record<string, string>>>;
  /**
   * The headers of a webhook as a route verifies it; undefined when nothing is known that could sign it. CliErrors for
   * routes that the config file does not have.
   */
  signWebhook(webhook: WebhookToSign): Promise<Readonly<Record<string, string>> | undefined>;
  /** What runs scripts, for as long as the command needs it. */
  scripts(): ScriptRuntime;
  /** Runs a node until it is stopped; resolves with the exit code. */
  run(options: RunOptions): Promise<number>;
  /** Looks at a config file without running it; undefined: there is none. */
  lint(options: LintOptions): Promise<readonly LintFinding[] | undefined>;
  /** The JSON Schema of the config file, as text. */
  configSchema(): string;
  /** Looks at the machine: ports, clock, disk, latency of fdatasync. */
  examine(options: Pick<RunOptions, 'api' | 'gateway' | 'data'>): Promise<readonly Finding[]>;
}

/** A webhook that a command sends in place of its sender. */
export interface WebhookToSign {
  /** The route's key, such as `POST /path`, and its way to verify. */
  readonly route: string;
  readonly kind: string;
  /** The node's config file, where there is one, and its data directory. */
  readonly file: string | undefined;
  readonly data: string;
  /** In place of the route's own secret. */
  readonly secret: string | undefined;
  readonly body: Uint8Array;
  /** The sender's word for what happened, such as `push`. */
  readonly event: string;
  readonly deliveryId: string;
}

/** Exit codes of all commands; `logFailed` (EX_SOFTWARE): the log can no longer promise durability. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, invalidConfig: 3, unreachable: 4, logFailed: 70 } as const;

/** A config cannot be used; told by its name, as commands know nothing of the config's room. */
export function isInvalidConfig(error: unknown): error is Error {
  return error instanceof Error && error.name === 'InvalidConfig';
}

/** Ends a command with a line on stderr and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}
