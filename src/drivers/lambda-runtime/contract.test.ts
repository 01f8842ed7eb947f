import { functionRuntimeContract } from '../../testing/function-runtime-contract.ts';
import { openDriver } from './driver.fixture.ts';

const NODE = `
export const echo = async (event) => event;
export const fails = async () => { throw new TypeError('no such thing'); };
export const hangs = async () => { for (;;); };
export const exits = async () => process.exit(7);
export const prints = async () => { console.log('one'); console.log('two'); };
export const slow = async (event) => { await new Promise((done) => setTimeout(done, 100)); return event; };
`;

const PYTHON = `
import sys, time
def echo(event, context):
    return event
class TypeError(Exception):
    pass
def fails(event, context):
    raise TypeError("no such thing")
def hangs(event, context):
    while True:
        pass
def exits(event, context):
    sys.exit(7)
def prints(event, context):
    print("one")
    print("two")
def slow(event, context):
    time.sleep(0.1)
    return event
`;

for (const runtime of ['node', 'python'] as const) {
  functionRuntimeContract(`the ${runtime} runtime`, async () => {
    const bench = await openDriver({ 'contract.mjs': NODE, 'contract.py': PYTHON });
    return {
      runtime: bench.runtime,
      spec: (handler, changed) => bench.spec(`contract.${handler}`, { runtime, ...changed }),
      end: async () => await bench.end(),
    };
  });
}
