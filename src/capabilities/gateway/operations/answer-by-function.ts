import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import type { Identity } from '../../../ports/capability.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { Functions } from '../../../ports/functions.ts';
import type { HttpAnswer } from '../../../ports/http.ts';
import { callFunction } from '../calls/call-function.ts';
import type { IncomingCall } from '../calls/call.ts';
import { Returned } from '../calls/returned.ts';
import { refusal } from '../errors.ts';
import type { FunctionRoute } from '../route.ts';
import type { Accepted, ReadRequest } from './accept-request.ts';

/** What a call of a function needs. */
export interface FunctionCaller {
  readonly functions: Functions;
  readonly environment: Environment;
  readonly identity: Identity;
}

/** Hands a request to the route's function and answers what it returns, or what API Gateway says when it fails. */
export async function answerByFunction(
  caller: FunctionCaller,
  route: FunctionRoute,
  read: ReadRequest,
): Promise<Accepted> {
  const { request, parameters, body, content, receivedAt, deliveryId, claims, authorized } = read;
  const call: IncomingCall = {
    request, parameters, body, content, receivedAt, deliveryId, claims, authorized,
    routeKey: route.key,
    resource: route.path.text,
    identity: caller.identity,
  }; // prettier-ignore
  const answer = await answerOf(caller, route, call);
  return { outcome: 'answered', deliveryId, shardId: undefined, sequenceNumber: undefined, answer };
}

async function answerOf(caller: FunctionCaller, { call }: FunctionRoute, incoming: IncomingCall): Promise<HttpAnswer> {
  const { form, function: name } = call;
  const event = form.event(incoming);
  try {
    const outcome = await callFunction({ ...caller, name }, event, form.timeoutMs, incoming.request);
    if (outcome === 'timeout') return form.timedOut;
    if (outcome.failure !== undefined) return form.failed;
    const { clock } = caller.environment;
    const returned = await Returned.read(outcome.payload, async () => await nextTurn(clock));
    return (returned === undefined ? undefined : form.answer(returned)) ?? form.failed;
  } catch (error) {
    if (error instanceof ThrottleError || !(error instanceof RequestError)) throw error;
    if (error.code === 'RequestTooLargeException') throw refusal('RequestEntityTooLarge');
    if (error.code === 'InvalidRequestContentException') throw refusal('InvalidBody');
    return form.failed;
  }
}
