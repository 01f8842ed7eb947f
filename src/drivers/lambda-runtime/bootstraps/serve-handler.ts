import { shapeConsole } from './console.ts';
import { errorObject } from './error-object.ts';
import { LoadError, type Handler } from './load-handler.ts';
import { RuntimeClient, type RuntimeAnswer } from './runtime-client.ts';
import { runHandler, type ContextFacts } from './run-handler.ts';

const EXIT_INIT_FAILED = 1;
const EXIT_UNCAUGHT = 129;

/** Runs events of the runtime API with what `load` resolves with, until the node goes away. */
export async function serveHandler(load: () => Promise<Handler>): Promise<void> {
  const client = new RuntimeClient(process.env['AWS_LAMBDA_RUNTIME_API'] ?? '', () => process.exit(0));
  let requestId = '';
  let hasLoaded = false;
  let onEmpty: (() => void) | undefined;
  shapeConsole(() => requestId || 'undefined');
  const whenEmpty = (run: (() => void) | undefined): void => {
    onEmpty = run;
    client.hold(run === undefined);
  };
  process.on('beforeExit', () => {
    const run = onEmpty;
    onEmpty = undefined;
    // The turn of the loop that the answer needs.
    if (run !== undefined) setImmediate(run);
  });
  const fail = async (error: unknown, type?: string): Promise<void> => {
    client.hold(true);
    const shape = errorObject(error, type);
    console.error(`${shape.errorType}: ${shape.errorMessage}`, ...shape.trace.slice(1).map((line) => `\n${line}`));
    // Between two events it is nobody's: what was posted now would wait behind the request for the next one.
    if (hasLoaded && requestId === '') process.exit(EXIT_UNCAUGHT);
    const path = requestId === '' ? '/init/error' : `/invocation/${requestId}/error`;
    await client.post(path, JSON.stringify(shape), {
      'Lambda-Runtime-Function-Error-Type': headerText(shape.errorType),
    });
  };
  const die = async (error: unknown, type?: string): Promise<void> => {
    await fail(error, type);
    process.exit(EXIT_UNCAUGHT);
  };
  process.on('uncaughtException', (error) => void die(error));
  process.on('unhandledRejection', (reason) => void die(reason, 'Runtime.UnhandledPromiseRejection'));
  let handler: Handler;
  try {
    handler = await load();
  } catch (error) {
    await fail(error, error instanceof LoadError ? error.type : undefined);
    process.exit(EXIT_INIT_FAILED);
  }
  hasLoaded = true;
  for (;;) {
    requestId = '';
    const next = await client.next();
    if (next.status !== 200) {
      console.error(`no event: ${next.body.toString()}`);
      process.exit(EXIT_UNCAUGHT);
    }
    requestId = next.headers['lambda-runtime-aws-request-id'] ?? '';
    process.env['_X_AMZN_TRACE_ID'] = next.headers['lambda-runtime-trace-id'] ?? '';
    const deadlineMs = Number(next.headers['lambda-runtime-deadline-ms']);
    const end = await runHandler(handler, parse(next), facts(next), deadlineMs, { whenEmpty });
    if ('error' in end) await fail(end.error);
    else await answer(client, requestId, end.value, fail);
  }
}

function parse({ body }: RuntimeAnswer): unknown {
  return JSON.parse(body.toString());
}

async function answer(
  client: RuntimeClient,
  requestId: string,
  value: unknown,
  fail: (error: unknown, type: string) => Promise<void>,
): Promise<void> {
  let text: string;
  try {
    // What JSON has no word for is null.
    text = JSON.stringify(value ?? null) ?? 'null';
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return await fail(new Error(`Unable to stringify response body: ${message}`), 'Runtime.MarshalError');
  }
  const { status, body } = await client.post(`/invocation/${requestId}/response`, text);
  if (status >= 400) console.error(body.toString());
}

function facts({ headers }: RuntimeAnswer): ContextFacts {
  const { env } = process;
  return {
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
  };
}

/** Names of errors are the users' own. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 256);
}
