import type { HttpAnswer } from '../../../ports/http.ts';
import type { RestCall, RestOperation } from '../../../ports/rest-operation.ts';
import { checkEvent } from '../check-event.ts';
import { functionsErrors, eventTooLarge, functionNotFound, functionsError } from '../errors.ts';
import { functionArn, readFunctionName } from '../function-name.ts';
import { functionsEvents } from '../events.ts';
import type { HostedFunction } from '../hosted-function.ts';
import { functionsLimits as limits } from '../limits.ts';
import { rulesOf, type FunctionsState } from '../model.ts';

const EMPTY = Buffer.from('{}');
const VERSION = { 'x-amz-executed-version': '$LATEST' };

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
    return [{ name: last, arn: functionArn(identity, last) }];
  },
  async handle(call): Promise<HttpAnswer> {
    const { functions, identity } = call.state;
    const qualifier = call.query.get('Qualifier') ?? undefined;
    const name = readFunctionName(call.parameters['name'] ?? '', qualifier, identity);
    const one = functions.get(name);
    if (one === undefined) throw functionNotFound(functionArn(identity, name));
    const event = call.body.length === 0 ? EMPTY : call.body;
    const type = call.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    switch (type) {
      case 'RequestResponse':
        return await runNow(call, name, event);
      case 'Event':
        return await runLater(call, one, event);
      case 'DryRun':
        return { status: 204, headers: VERSION, body: '' };
      default:
        throw functionsError(
          'InvalidParameterValueException',
          `1 validation error detected: Value '${type.slice(0, 100)}' at 'invocationType' failed to satisfy ` +
            'constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]',
        );
    }
  },
};

async function runNow(call: RestCall<FunctionsState>, name: string, event: Uint8Array): Promise<HttpAnswer> {
  const { functions } = call.state;
  // As on AWS a run goes on when its caller went away.
  const { failure, payload, logTail } = await functions.invoke(name, event, { requestId: call.requestId });
  const wantsTail = call.headers['x-amz-log-type'] === 'Tail';
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
  checkEvent(event);
  const now = environment.clock.now();
  const rules = rulesOf(options);
  await events.add({ function: name, requestId, attempt: 1, acceptedAt: now, dueAt: now, rules }, event);
  environment.meter.count(functionsEvents.eventsAccepted, { function: name });
  return { status: 202, headers: {}, body: '' };
}
