import type { FunctionSpec } from '../ports/function-runtime.ts';
import { nodeClock } from '../environments/node/clock.ts';
import { fakeFunctionRuntime, type FakeHandler } from './fake-function-runtime.ts';
import { functionRuntimeContract, USUAL_SPEC } from './function-runtime-contract.ts';

const HANDLERS: Readonly<Record<string, FakeHandler>> = {
  echo: (value) => ({ value }),
  fails: () => ({ failure: { type: 'TypeError', message: 'no such thing' } }),
  hangs: () => ({ takesMs: Infinity }),
  exits: (_event, { requestId }) => ({
    failure: {
      type: 'Runtime.ExitError',
      message: `RequestId: ${requestId} Error: Runtime exited with error: exit status 7`,
    },
  }),
  prints: () => ({ prints: ['one', 'two'] }),
  slow: (value) => ({ value, takesMs: 100 }),
};

const SPEC: Omit<FunctionSpec, 'handler'> = {
  ...USUAL_SPEC,
  codeDirectory: '/code',
  timeoutMs: 3000,
  memoryBytesMax: 128 * 1024 * 1024,
};

functionRuntimeContract('the runtime of simulations', async () => ({
  runtime: fakeFunctionRuntime(nodeClock, HANDLERS),
  spec: (handler, changed) => ({ ...SPEC, handler, ...changed }),
  end: async () => undefined,
}));
