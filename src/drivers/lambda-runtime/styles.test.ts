import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuntimeName } from '../../ports/function-runtime.ts';
import { payloadOf, runOnce } from '../../testing/function-runtime-contract.ts';
import { openDriver } from './driver.fixture.ts';

const SCRIPT = `
exports.sync = (event) => ({ sync: event });
exports.async = async (event) => ({ async: event });
exports.thenable = () => ({ then: (done) => done('thenable') });
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, 'called'), 5); };
exports.calledError = (event, context, callback) => callback(new Error('said'));
exports.waits = (event, context, callback) => { callback(null, 'waited'); setTimeout(() => console.log('after'), 50); };
exports.doesNotWait = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setInterval(() => 0, 1000);
  callback(null, 'at once');
};
exports.done = (event, context) => { context.done(null, 'done'); };
exports.silent = () => { setTimeout(() => 0, 5); };
exports.pending = async () => await new Promise(() => 0);
exports.deep = { er: { handler: async () => 'deep' } };
exports.context = async (event, context) => ({
  ...context, left: context.getRemainingTimeInMillis() > 1000, env: Object.keys(process.env).sort(), argv: undefined,
});
exports.json = async () => ({ date: new Date(0), skip: undefined, nan: NaN });
`;
const MODULE = `
import { basename } from 'node:path';
export const handler = async () => basename('/a/module');
export default { named: async () => 'of the default' };
`;
const PYTHON = `
import decimal, logging, os
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)
def context(event, context):
    logger.info("one %s", "line")
    logger.debug("not this one")
    return {"id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
            "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis() > 1000, "env": sorted(os.environ)}
def decimals(event, context):
    return {"whole": decimal.Decimal("3"), "part": decimal.Decimal("0.5"), "text": "ü"}
def unmarshalled(event, context):
    return {1, 2}
`;

const TABLE: readonly (readonly [handler: string, said: string, runtime?: RuntimeName])[] = [
  ['script.sync', '{"sync":{"a":1}}'],
  ['script.async', '{"async":{"a":1}}'],
  ['script.thenable', '"thenable"'],
  ['script.callback', '"called"'],
  ['script.calledError', 'Error: said'],
  ['script.waits', '"waited"'],
  ['script.doesNotWait', '"at once"'],
  ['script.done', '"done"'],
  ['script.silent', 'null'],
  ['script.pending', 'null'],
  ['script.deep.er.handler', '"deep"'],
  ['script.json', '{"date":"1970-01-01T00:00:00.000Z","nan":null}'],
  ['folder/module.handler', '"module"'],
  ['folder/module.named', '"of the default"'],
  ['main.decimals', '{"whole":3,"part":0.5,"text":"ü"}', 'python'],
  [
    'main.unmarshalled',
    'Runtime.MarshalError: Unable to marshal response: Object of type set is not JSON serializable',
    'python',
  ],
];

test('handlers are called in every way that Lambda knows', async () => {
  const bench = await openDriver({ 'script.js': SCRIPT, 'folder/module.mjs': MODULE, 'main.py': PYTHON });
  for (const [handler, said, runtime = 'node'] of TABLE) {
    const open = bench.runtime.open(bench.spec(handler, { runtime }));
    const { outcome, lines } = await runOnce(open, { a: 1 });
    const { failure } = outcome;
    assert.equal(failure === undefined ? payloadOf(outcome) : `${failure.type}: ${failure.message}`, said, handler);
    if (handler === 'script.waits') assert.match(lines.at(-1) ?? '', /\tid-1\tINFO\tafter$/);
    // A second event finds the process as it was.
    assert.equal((await runOnce(open, { a: 1 }, 'id-2')).outcome.failure?.type, failure?.type, handler);
    await open.close(0);
  }
  await bench.end();
});

const ODD_PYTHON = `
import sys
class Mute(Exception):
    def __str__(self):
        raise ValueError("no")
def mute(event, context):
    raise Mute()
def named(event, context):
    raise type("A\\r\\nB: c", (Exception,), {})("m")
def closes(event, context):
    sys.stdout.close()
    return "closed"
`;

test('errors that cannot be told, and a handler that closes its output, end no process of Python', async () => {
  const bench = await openDriver({ 'odd.py': ODD_PYTHON });
  const table: readonly (readonly [handler: string, said: string])[] = [
    ['odd.mute', 'Mute: an error that cannot be told'],
    ['odd.named', 'A\r\nB: c: m'],
    ['odd.closes', '"closed"'],
  ];
  for (const [handler, said] of table) {
    const open = bench.runtime.open(bench.spec(handler, { runtime: 'python' }));
    for (const id of ['id-1', 'id-2']) {
      const { failure, initMs, payload } = (await runOnce(open, {}, id)).outcome;
      const text = failure === undefined ? Buffer.from(payload).toString() : `${failure.type}: ${failure.message}`;
      assert.deepEqual([text, initMs === undefined], [said, id === 'id-2'], `${handler} ${id}`);
    }
    await open.close(0);
  }
  await bench.end();
});

const LAMBDA = [
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
  'MINE',
  'TZ',
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
];
/** Of the machine, of the shell that starts it, and of Python. */
const OTHERS = /^(PATH|HOME|TMPDIR|LANG|LC_CTYPE|PWD|OLDPWD|SHLVL|_|_?PYENV_.*|PYTHON.*)$/;

test('handlers are told what Lambda tells, and see nothing else of the node', async () => {
  process.env['MILLRACE_OF_THE_NODE'] = 'secret';
  const bench = await openDriver({ 'script.js': SCRIPT, 'main.py': PYTHON });
  for (const [runtime, handler] of [
    ['node', 'script.context'],
    ['python', 'main.context'],
  ] as const) {
    const open = bench.runtime.open(bench.spec(handler, { runtime, variables: { MINE: 'x' } }));
    const { outcome, lines } = await runOnce(open, {});
    const said = JSON.parse(payloadOf(outcome)) as Record<string, unknown> & { env: string[] };
    assert.equal(said['left'], true);
    assert.equal(said[runtime === 'node' ? 'awsRequestId' : 'id'], 'id-1');
    assert.equal(said[runtime === 'node' ? 'memoryLimitInMB' : 'memory'], '256');
    assert.deepEqual(
      said.env.filter((name) => !OTHERS.test(name)),
      LAMBDA,
    );
    if (runtime === 'python') assert.match(lines.join('\n'), /^\[INFO\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\tid-1\tone line$/);
  }
  await bench.end();
});
