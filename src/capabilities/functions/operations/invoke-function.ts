import { functionArn } from '../../../kernel/names.ts';
import { checkAws } from '../../../kernel/schema/check-aws.ts';
import * as s from '../../../kernel/schema/declare.ts';
import type { HttpAnswer } from '../../../ports/http.ts';
import type { RestCall, RestOperation } from '../../../ports/rest-operation.ts';
import { checkEvent } from '../check-event.ts';
import { functionsErrors, eventTooLarge, functionNotFound } from '../errors.ts';
import { FUNCTION_NAME_PATTERN, readFunctionName } from '../function-name.ts';
import { functionsEvents } from '../events.ts';
import type { HostedFunction } from '../hosted-function.ts';
import { functionsLimits as limits } from '../limits.ts';
import { rulesOf, type FunctionsState } from '../model.ts';

const EMPTY = Buffer.from('{}');
const VERSION = { 'x-amz-executed-version': '$LATEST' };

/** What stands in the path, the headers and the query, in the order of AWS's model. */
const request = s.struct({
  FunctionName: s.string({ min: 1, max: 170, pattern: FUNCTION_NAME_PATTERN }),
  InvocationType: s.optional(s.string({ values: ['Event', 'RequestResponse', 'DryRun'] })),
  LogType: s.optional(s.string({ values: ['None', 'Tail'] })),
  Qualifier: s.optional(s.string({ min: 1, max: 128, pattern: '(|[a-zA-Z0-9$_-]+)' })),
});

/** Runs a function: at once (`RequestResponse`), later (`Event`), or not at all (`DryRun`). */
export const invokeFunction: RestOperation<FunctionsState> = {
  name: 'InvokeFunction',
  method: 'POST',
  path: '/2015-03-31/functions/{name}/invocations',
  plane: 'data',
  errors: functionsErrors,
  doc: 'Runs a function with an event: at once, later (`Event`), or only looks whether it could (`DryRun`).',
  // A little more than an event may have, so that what is too large is told in AWS's sentence.
  bodyBytesMax: limits.eventBytesMax + 64 * 1024,
  resources: ({ name = '' }, identity) => {
    const short = name.replace(/:(\$LATEST|[a-zA-Z0-9-_]+)$/, (whole, version: string) =>
      version === '$LATEST' ? '' : whole,
    );
    const last = short.slice(short.lastIndexOf(':') + 1);
    return [{ name: last, arn: functionArn(identity.region, identity.account, last) }];
  },
  async handle(call): Promise<HttpAnswer> {
    const { functions, identity } = call.state;
    const { FunctionName, InvocationType = 'RequestResponse', LogType, Qualifier } = members(call);
    const name = readFunctionName(FunctionName, Qualifier, identity);
    const one = functions.get(name);
    if (one === undefined) throw functionNotFound(functionArn(identity.region, identity.account, name));
    const event = call.body.length === 0 ? EMPTY : call.body;
    switch (InvocationType) {
      case 'Event':
        return await runLater(call, one, event);
      case 'DryRun':
        return { status: 204, headers: VERSION, body: '' };
      default:
        return await runNow(call, name, event, LogType === 'Tail');
    }
  },
};

/** Checked as AWS does: all that is wrong in one sentence. */
function members({ parameters, headers, query }: RestCall<FunctionsState>): s.Static<typeof request> {
  return checkAws(request, {
    FunctionName: parameters['name'],
    InvocationType: headers['x-amz-invocation-type'],
    LogType: headers['x-amz-log-type'],
    Qualifier: query.get('Qualifier'),
  });
}

async function runNow(
  call: RestCall<FunctionsState>,
  name: string,
  event: Uint8Array,
  wantsTail: boolean,
): Promise<HttpAnswer> {
  const { state, requestId, signal } = call;
  // As on AWS a run goes on when its caller went away; one that has not begun would only run for nobody.
  const { failure, payload, logTail } = await state.functions.invoke(name, event, { requestId, signal, goesOn: true });
  return {
    status: 200,
    headers: {
      ...VERSION,
      'content-type': 'application/json',
      ...(failure !== undefined && { 'x-amz-function-error': 'Unhandled' }),
      ...(wantsTail && { 'x-amz-log-result': Buffer.from(logTail).toString('base64') }),
    },
    body: payload,
  };
}

async function runLater(
  call: RestCall<FunctionsState>,
  { name, options }: HostedFunction,
  event: Uint8Array,
): Promise<HttpAnswer> {
  const { requestId, state } = call;
  const { environment, events } = state;
  if (event.length > limits.asyncEventBytesMax) throw eventTooLarge(event.length, 'Event', limits.asyncEventBytesMax);
  const checking = checkEvent(event, environment.clock);
  if (checking !== undefined) await checking;
  const now = environment.clock.now();
  const rules = rulesOf(options);
  await events.add({ function: name, requestId, attempt: 1, acceptedAt: now, dueAt: now, rules }, event);
  environment.meter.count(functionsEvents.eventsAccepted, { function: name });
  return { status: 202, headers: {}, body: '' };
}
