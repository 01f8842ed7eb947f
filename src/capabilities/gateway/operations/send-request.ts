import { EnvironmentError, RequestError } from '../../../kernel/errors.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { ClientAnswer, HttpClient } from '../../../ports/http-client.ts';
import { REDELIVERY_HEADER } from '../calls/call.ts';
import type { GatewayEvents } from '../events.ts';
import type { Headers } from '../kinds/verifier.ts';
import { limits } from '../limits.ts';
import type { RedeliveryTarget } from '../redelivery-target.ts';
import type { RequestEntry } from '../request-log/request-entry.ts';
import { MASK } from '../envelope.ts';
import { checkAccepted, checkWhole, type Asker, type Redelivered } from './redeliver-request.ts';

/** Headers of a connection, and those that whoever sends makes anew. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'proxy-connection', 'te', 'trailer',
  'upgrade', 'expect', 'accept-encoding',
]); // prettier-ignore

/** What sending needs. */
export interface RequestSender {
  readonly http: HttpClient;
  readonly environment: Environment;
  readonly events: GatewayEvents;
}

/**
 * Sends a request of the log to a server elsewhere, signed anew with the target's secret; what was masked is left out.
 * RequestErrors for requests that were never accepted, that were cut, and where no secret is active.
 */
export async function sendRequest(
  { http, environment, events }: RequestSender,
  target: RedeliveryTarget,
  { head, body }: RequestEntry,
  { signal }: Asker,
): Promise<Redelivered> {
  checkAccepted(head);
  checkWhole(head);
  const { id, method, deliveryId = id } = head;
  const signed = target.sign({ body, event: '', deliveryId, nowMs: environment.clock.now() });
  if (signed === undefined) throw new RequestError('NoSecret', `no secret of ${target.name} is active`, 409);
  const headers = { ...resigned(head.headers, signed), [REDELIVERY_HEADER]: head.redeliveryOf ?? id };
  const redeliveryId = environment.random.uuid();
  const told = { id, redeliveryId } as const;
  try {
    const timeoutMs = limits.redeliveryTimeoutMs;
    const sent = body.length === 0 ? {} : { body };
    const answer = await http.send({ url: target.url, method, headers, ...sent, timeoutMs, signal });
    const isTaken = answer.status >= 200 && answer.status < 300;
    const said = { status: answer.status, answer: await beginningOf(answer) };
    events.redelivered(head.route, isTaken ? 'sent' : 'refused');
    return isTaken ? { ...told, outcome: 'sent', ...said } : { ...told, outcome: 'refused', code: 'Status', ...said };
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    events.redelivered(head.route, 'refused');
    return { ...told, outcome: 'refused', code: error.code };
  }
}

/** The request's headers without those of its connection and those that are masked, and with what is signed. */
export function resigned(headers: Headers, signed: Headers): Headers {
  const kept = Object.entries(headers).filter(([name, value]) => value !== MASK && !OF_CONNECTION.has(name));
  // A sample's word for what happened is not known here: the request's own stands.
  const made = Object.entries(signed).filter(([, value]) => value !== '');
  return Object.fromEntries([...kept, ...made]);
}

async function beginningOf(answer: ClientAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  let left: number = limits.answerCharactersMax;
  for await (const piece of answer.pieces) {
    pieces.push(piece.slice(0, left));
    left -= piece.length;
    if (left <= 0) break;
  }
  return Buffer.concat(pieces).toString();
}
