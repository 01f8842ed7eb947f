import { consumers } from './areas/consumers.ts';
import { gets } from './areas/gets.ts';
import { hostile } from './areas/hostile.ts';
import { lists } from './areas/lists.ts';
import { puts } from './areas/puts.ts';
import { resharding } from './areas/resharding.ts';
import { settings } from './areas/settings.ts';
import { streams } from './areas/streams.ts';
import { wire } from './areas/wire.ts';
import type { Area } from './check.ts';
import type { Credentials } from './credentials.ts';
import { Endpoint } from './endpoint.ts';

export type { Area, Check } from './check.ts';
export type { Credentials } from './credentials.ts';
export { Endpoint, type EndpointOptions } from './endpoint.ts';

/** What is run against which endpoint. */
export interface ConformanceOptions {
  /** `http://` or `https://` with host and port. */
  readonly url: string;
  /** Default `us-east-1`. */
  readonly region?: string | undefined;
  /** Default `test` and `test`, which every local endpoint takes. */
  readonly credentials?: Credentials | undefined;
  /** How long a stream or consumer may take to become what it was asked to be, in ms; default 10,000. */
  readonly waitMs?: number | undefined;
  /** How long all of it may take, in ms; default 600,000. Checks that are not begun by then have failed. */
  readonly withinMs?: number | undefined;
  /** Whether AWS's sentences count, beside the types of errors; default false. */
  readonly sentences?: boolean | undefined;
  /** Only areas and checks whose name holds this text. */
  readonly only?: string | undefined;
  /** Hears of each check as it ends. */
  readonly onResult?: ((result: CheckResult) => void) | undefined;
}

/** What came of one check; `failure` says why it failed. */
export interface CheckResult {
  readonly area: string;
  readonly name: string;
  readonly failure?: string;
}

/** What came of all. */
export interface ConformanceReport {
  readonly results: readonly CheckResult[];
  /** Streams that could not be deleted. */
  readonly left: readonly string[];
}

/** All checks, in the order in which they run: what may end an endpoint comes last. */
export const areas: readonly Area[] = [wire, streams, lists, puts, gets, resharding, consumers, settings, hostile];

/** Runs the checks one after the other, and deletes what they made. Rejects for a URL that is none. */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { url, region = 'us-east-1', waitMs = 10_000, withinMs = 600_000, sentences = false, only = '' } = options;
  const credentials = options.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' };
  const endpoint = new Endpoint({ url: new URL(url).href, region, credentials, waitMs, sentences });
  const until = Date.now() + withinMs;
  const results: CheckResult[] = [];
  for (const { title, checks } of areas) {
    for (const { name, run } of checks) {
      if (!title.includes(only) && !name.includes(only)) continue;
      const failure = Date.now() > until ? 'not run: the time is up' : await failureOf(run(endpoint));
      const result = { area: title, name, ...(failure !== undefined && { failure }) };
      results.push(result);
      options.onResult?.(result);
    }
  }
  return { results, left: await endpoint.cleanUp() };
}

async function failureOf(running: Promise<void>): Promise<string | undefined> {
  try {
    await running;
    return undefined;
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    return `${message.replaceAll(/\s*\n\s*/g, ' ')}${why}`.slice(0, 500);
  }
}
