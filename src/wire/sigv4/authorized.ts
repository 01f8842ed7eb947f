import { isNoted, type Audit } from '../../ports/audit.ts';
import type { NamedResource } from '../../ports/capability.ts';
import type { HttpRequest } from '../../ports/http.ts';
import type { Principal } from './principal.ts';

/** A call of somebody known. */
export interface Asked {
  readonly caller: Principal;
  /** For example `kinesis:PutRecord`. */
  readonly action: string;
  readonly operation: Parameters<typeof isNoted>[0];
  readonly request: Pick<HttpRequest, 'id' | 'remoteAddress'>;
  readonly audit: Audit;
}

/** Runs what the caller may do; a change is noted, and so is one that was refused. */
export async function authorized<T>(
  { caller, action, operation, request, audit }: Asked,
  touched: readonly NamedResource[],
  handle: () => Promise<T>,
): Promise<T> {
  const run = async (): Promise<T> => {
    caller.check(action, touched);
    return await handle();
  };
  if (!isNoted(operation)) return await run();
  const on = touched.map(({ arn }) => arn);
  const { id: requestId, remoteAddress: from } = request;
  return await audit.note({ who: caller.accessKeyId, action, on, from, requestId }, run);
}
