import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { mock, test } from 'node:test';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { FunctionSpec } from '../../ports/function-runtime.ts';
import { payloadOf, runOnce } from '../../testing/function-runtime-contract.ts';
import { openDriver, type DriverBench } from './driver.fixture.ts';

const MIB = 1024 * 1024;

const HANDLERS = `
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import fs from 'node:fs';

export const throwsText = async () => { throw 'plain'; };
export const throwsLater = async () => { setTimeout(() => { throw new RangeError('later'); }); await new Promise(() => setTimeout(() => 0, 5000)); };
export const rejectsAside = async () => { Promise.reject(new Error('aside')); await new Promise((done) => setTimeout(done, 5000)); };
export const exitsWell = async () => process.exit(0);
export const killsItself = async () => process.kill(process.pid, 'SIGSEGV');
export const allocates = async () => { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)); };
export const forks = async () => {
  const child = spawn(process.execPath, ['-e', 'const all = []; setInterval(() => all.push(Buffer.alloc(64 << 20, 1)), 5)'], { stdio: 'ignore' });
  fs.writeFileSync('child.pid', String(child.pid));
  await new Promise((done) => setTimeout(done, 20000));
};
export const outlives = async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'inherit' });
  fs.writeFileSync('child.pid', String(child.pid));
  process.on('SIGTERM', () => 0);
  for (;;);
};
export const allocatesAtOnce = async () => Buffer.alloc(2 ** 31 - 1, 1).length;
export const prints = async () => { const line = 'x'.repeat(1 << 20) + '\\n'; for (let i = 0; i < 1024; i += 1) fs.writeSync(1, line); return 'printed'; };
export const longLine = async () => { fs.writeSync(2, 'y'.repeat(40000)); return null; };
export const sevenMegabytes = async () => 'z'.repeat(7 << 20);
export const sixMegabytes = async () => 'z'.repeat((6 << 20) - 2);
export const cycle = async () => { const a = {}; a.a = a; return a; };
export const big = async () => 10n;
export const nothing = async () => undefined;
export const closesPipe = async () => { fs.closeSync(1); fs.closeSync(2); return 'quiet'; };
export const nonsense = async () => {
  const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
  const said = [];
  const say = (text) => new Promise((done) => {
    const socket = connect(Number(port), host, () => socket.write(text));
    socket.on('data', (bytes) => { said.push(bytes.toString().split('\\r\\n')[0]); socket.destroy(); });
    socket.on('error', () => 0);
    socket.on('close', () => done());
  });
  await say('nonsense\\r\\n\\r\\n');
  await say('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
  await say('POST /2018-06-01/runtime/invocation/other/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\n\\r\\n1');
  await say('GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
  return said;
};
`;

const PYTHON_HANDLERS = `
import os, signal, socket, subprocess, sys, threading, time

class Wordless(Exception):
    def __str__(self):
        raise ValueError("no words")

def hold(size):
    kept = []
    while True:
        kept.append(b"x" * size)

def throwsWordless(event, context): raise Wordless()
def exitsWell(event, context): sys.exit(0)
def exitsBadly(event, context): os._exit(3)
def killsItself(event, context): os.kill(os.getpid(), signal.SIGSEGV)
def allocates(event, context): hold(16 << 20)
def allocatesAtOnce(event, context): return len(b"x" * (2 << 30))
def allocatesAside(event, context):
    threading.Thread(target=hold, args=(16 << 20,)).start()
    time.sleep(20)
def forks(event, context):
    child = os.fork()
    if child == 0:
        hold(16 << 20)
    with open("child.pid", "w") as file:
        file.write(str(child))
    time.sleep(20)
def outlives(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open("child.pid", "w") as file:
        file.write(str(subprocess.Popen(["sleep", "1000"]).pid))
    while True:
        pass
def prints(event, context):
    line = b"x" * (1 << 20) + b"\\n"
    for _ in range(1024):
        os.write(1, line)
    return "printed"
def sevenMegabytes(event, context): return "z" * (7 << 20)
def sixMegabytes(event, context): return "z" * ((6 << 20) - 2)
def cycle(event, context):
    a = {}
    a["a"] = a
    return a
def opaque(event, context): return object()
def deep(event, context):
    a = []
    for _ in range(100000):
        a = [a]
    return a
def nothing(event, context): pass
def closesPipe(event, context):
    os.close(1)
    os.close(2)
    return "quiet"
def closesAll(event, context): os.closerange(0, 256)
def nonsense(event, context):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    said = []
    for text in NONSENSE:
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(text.encode())
            said.append(connection.makefile("rb").readline().decode().strip())
    return said

NONSENSE = [
    "nonsense\\r\\n\\r\\n",
    "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
    "POST /2018-06-01/runtime/invocation/other/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\n\\r\\n1",
    "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
]
`;

const PYTHON = { runtime: 'python' } as const;

/** What a run of each came to. */
const TABLE: readonly (readonly [
  handler: string,
  type: string | undefined,
  said: RegExp,
  changed?: Partial<FunctionSpec>,
])[] = [
  ['throwsText', 'string', /"errorMessage":"plain"/],
  ['throwsLater', 'RangeError', /"errorMessage":"later"/],
  ['rejectsAside', 'Runtime.UnhandledPromiseRejection', /"errorMessage":"aside"/],
  ['exitsWell', 'Runtime.ExitError', /Runtime exited without providing a reason/],
  ['killsItself', 'Runtime.ExitError', /Runtime exited with error: signal: segmentation fault/],
  ['allocates', 'Runtime.OutOfMemory', /signal: killed/],
  ['forks', 'Runtime.OutOfMemory', /signal: killed/],
  ['sevenMegabytes', 'Function.ResponseSizeTooLarge', /exceeded maximum allowed payload size \(6291556 bytes\)/],
  ['sixMegabytes', undefined, /^"zzz/],
  ['cycle', 'Runtime.MarshalError', /Unable to stringify response body: Converting circular structure/],
  ['big', 'Runtime.MarshalError', /Unable to stringify response body: Do not know how to serialize a BigInt/],
  ['nothing', undefined, /^null$/],
  ['closesPipe', undefined, /^"quiet"$/],
  ['nonsense', undefined, /^\["HTTP\/1.1 404 Not Found","HTTP\/1.1 400 Bad Request","HTTP\/1.1 403 Forbidden"\]$/],
  ['allocatesAtOnce', 'Runtime.OutOfMemory', /signal: killed/],
  ['throwsWordless', 'Wordless', /"errorMessage": ?"an error that cannot be told"/, PYTHON],
  ['exitsWell', 'Runtime.ExitError', /Runtime exited without providing a reason/, PYTHON],
  ['exitsBadly', 'Runtime.ExitError', /Runtime exited with error: exit status 3/, PYTHON],
  ['killsItself', 'Runtime.ExitError', /Runtime exited with error: signal: segmentation fault/, PYTHON],
  ['allocates', 'Runtime.OutOfMemory', /signal: killed/, PYTHON],
  ['allocatesAtOnce', 'Runtime.OutOfMemory', /signal: killed/, PYTHON],
  ['allocatesAside', 'Runtime.OutOfMemory', /signal: killed/, PYTHON],
  ['forks', 'Runtime.OutOfMemory', /signal: killed/, PYTHON],
  ['sevenMegabytes', 'Function.ResponseSizeTooLarge', /exceeded maximum allowed payload size \(6291556 bytes\)/, PYTHON],
  ['sixMegabytes', undefined, /^"zzz/, PYTHON],
  ['cycle', 'Runtime.MarshalError', /Unable to marshal response: Circular reference detected/, PYTHON],
  ['opaque', 'Runtime.MarshalError', /Unable to marshal response: Object of type object is not JSON serializable/, PYTHON],
  ['deep', 'Runtime.MarshalError', /Unable to marshal response: maximum recursion depth exceeded/, PYTHON],
  ['nothing', undefined, /^null$/, PYTHON],
  ['closesPipe', undefined, /^"quiet"$/, PYTHON],
  ['closesAll', 'Runtime.ExitError', /Runtime exited without providing a reason/, PYTHON],
  ['nonsense', undefined, /^\["", ?"HTTP\/1.1 404 Not Found", ?"HTTP\/1.1 400 Bad Request", ?"HTTP\/1.1 403 Forbidden"\]$/, PYTHON],
]; // prettier-ignore

const FAULTS = { 'faults.mjs': HANDLERS, 'faults.py': PYTHON_HANDLERS };
const LANGUAGES = ['node', 'python'] as const;

async function withDriver(
  files: Readonly<Record<string, string>>,
  work: (bench: DriverBench) => Promise<void>,
): Promise<void> {
  // Timers of an environment alone keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  const bench = await openDriver(files);
  try {
    await work(bench);
  } finally {
    await bench.end();
    clearInterval(alive);
  }
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

async function isGone(pid: number): Promise<boolean> {
  for (let waits = 0; waits < 200; waits += 1) {
    if (!isAlive(pid)) return true;
    await sleep(50);
  }
  return false;
}

test('whatever a handler does has one outcome, and the next event is run', async () => {
  await withDriver(FAULTS, async (bench) => {
    for (const [handler, type, said, changed] of TABLE) {
      const open = bench.runtime.open(bench.spec(`faults.${handler}`, changed));
      const { outcome } = await runOnce(open, {});
      const name = `${changed?.runtime ?? 'node'} ${handler}`;
      assert.equal(outcome.failure?.type, type, name);
      assert.match(payloadOf(outcome), said, name);
      assert.equal(open.stats().running, 0, name);
      await open.close(0);
      if (handler === 'forks') assert.ok(await isGone(childOf(bench)), `${name}: what it started ends with it`);
    }
  });
});

function childOf({ folder }: DriverBench): number {
  return Number(readFileSync(`${folder}/child.pid`, 'utf8'));
}

test('a handler that outlives its time ends with all it started', async () => {
  await withDriver(FAULTS, async (bench) => {
    for (const runtime of LANGUAGES) {
      const open = bench.runtime.open(bench.spec('faults.outlives', { runtime, timeoutMs: 1500 }));
      const { outcome } = await runOnce(open, {});
      assert.equal(outcome.failure?.type, 'Sandbox.Timedout', runtime);
      assert.ok(await isGone(childOf(bench)), runtime);
      await open.close(0);
    }
  });
});

test('of a gigabyte that is printed a bounded part is kept, and the rest counted', async () => {
  await withDriver(FAULTS, async (bench) => {
    for (const runtime of LANGUAGES) {
      const before = process.memoryUsage().rss;
      const printed = await runOnce(bench.runtime.open(bench.spec('faults.prints', { runtime })), {});
      assert.equal(payloadOf(printed.outcome), '"printed"', runtime);
      assert.match(printed.lines.at(-1) ?? '', /^\[107\d{7} bytes of output were dropped\]$/);
      const kept = printed.lines.reduce((sum, line) => sum + line.length, 0);
      assert.ok(kept <= 256 * 1024, `${kept} bytes kept`);
      assert.ok(process.memoryUsage().rss - before < 200 * MIB);
    }
    const long = await runOnce(bench.runtime.open(bench.spec('faults.longLine')), {});
    assert.deepEqual(
      long.lines.map((line) => line.length),
      [16_384, 16_384, 7232],
    );
  });
});

const BROKEN: readonly (readonly [
  what: string,
  spec: Partial<FunctionSpec> & { handler: string },
  type: string,
  said: RegExp,
])[] = [
  ['syntax', { handler: 'syntax.handler' }, 'Runtime.UserCodeSyntaxError', /SyntaxError: /],
  ['no file', { handler: 'absent.handler' }, 'Runtime.ImportModuleError', /Cannot find module 'absent'/],
  ['no package', { handler: 'imports.handler' }, 'Runtime.ImportModuleError', /Cannot find package 'nowhere'/],
  ['no export', { handler: 'well.other' }, 'Runtime.HandlerNotFound', /well.other is undefined or not exported/],
  ['no function', { handler: 'well.number' }, 'Runtime.HandlerNotFound', /well.number is not a function/],
  ['no name', { handler: 'well' }, 'Runtime.MalformedHandlerName', /Bad handler/],
  ['throws', { handler: 'throws.handler' }, 'EvalError', /at the top/],
  ['exits', { handler: 'exits.handler' }, 'Runtime.ExitError', /exit status 3/],
  ['hangs', { handler: 'hangs.handler', timeoutMs: 100 }, 'Sandbox.Timedout', /timed out after 0.10 seconds/],
  [
    'syntax',
    { handler: 'syntax.handler', runtime: 'python' },
    'Runtime.UserCodeSyntaxError',
    /Syntax error in module 'syntax'/,
  ],
  [
    'no file',
    { handler: 'absent.handler', runtime: 'python' },
    'Runtime.ImportModuleError',
    /Unable to import module 'absent'/,
  ],
  [
    'no package',
    { handler: 'imports.handler', runtime: 'python' },
    'Runtime.ImportModuleError',
    /No module named 'nowhere'/,
  ],
  ['no export', { handler: 'well.other', runtime: 'python' }, 'Runtime.HandlerNotFound', /Handler 'other' missing/],
  ['throws', { handler: 'throws.handler', runtime: 'python' }, 'ZeroDivisionError', /division by zero/],
];

test('code that cannot be loaded says why, and is tried later and later', async () => {
  const files = {
    'syntax.js': 'exports.handler = async () => {',
    'imports.mjs': "import 'nowhere'; export const handler = async () => 1;",
    'well.mjs': 'export const handler = async () => 1; export const number = 7;',
    'throws.cjs': "throw new EvalError('at the top');",
    'exits.mjs': 'process.exit(3);',
    'hangs.mjs': 'await new Promise(() => setInterval(() => 0, 1000));',
    'syntax.py': 'def handler(event, context)\n  return 1\n',
    'imports.py': 'import nowhere\n',
    'well.py': 'def handler(event, context):\n  return 1\n',
    'throws.py': '1 / 0\n',
  };
  await withDriver(files, async (bench) => {
    const all = BROKEN.map(async ([what, spec, type, said]) => {
      const open = bench.runtime.open(bench.spec(spec.handler, spec));
      const { outcome, lines } = await runOnce(open, {});
      const name = `${spec.runtime ?? 'node'} ${what}: ${lines.join('\n')}`;
      assert.equal(outcome.failure?.type, type, name);
      assert.match(payloadOf(outcome), said, name);
    });
    await Promise.all(all);
    const open = bench.runtime.open(bench.spec('syntax.handler', { concurrencyMax: 1 }));
    const startedAt = performance.now();
    for (let tries = 0; tries < 5; tries += 1) await runOnce(open, {});
    // At least half of 100, 200, 400 and 800 ms.
    assert.ok(performance.now() - startedAt > 750);
  });
});

const OLD_PYTHON = [
  'import sys',
  'sys.version_info = (3, 8, 1, "final", 0)',
  'flag, what, rest = sys.argv[1], sys.argv[2], sys.argv[3:]',
  'sys.argv = [what, *rest]',
  'text = what if flag == "-c" else open(what).read()',
  'exec(text, {"__name__": "__main__", "__file__": what})',
].join('\n');

test('what is missing is told in a line, before and with the first event', async () => {
  const files = {
    'a.mjs': 'export const handler = 1;',
    'b.py': 'import boto3\ndef handler(e, c):\n  pass\n',
    'd.py': 'import os, shop.orders as orders\ndef handler(e, c):\n  pass\n',
    'shop/__init__.py': '',
    'shop/orders.py': 'from . import (\n  stock,\n  prices)\n',
    'shop/stock.py': 'try:\n  import boto3\nexcept ImportError:\n  pass\n',
    'shop/prices.py': 'from ..table import rows\n',
    'table.py': 'import d\nfrom botocore.config import Config\n',
    'f.py': 'import shop.stock\ndef handler(e, c):\n  pass\n',
    'g.py':
      'try:\n  import os\n  # perhaps\n  import boto3\nexcept ImportError:\n  boto3 = None\ndef handler(e, c):\n  pass\n',
    'i.py': 'def handler(e, c):\n  try:\n    import boto3\n  except KeyError:\n    pass\n',
    'j.py': 'def handler(e, c):\n  import boto3\n',
    'own/k.py': 'import boto3\n',
    'own/boto3/__init__.py': '',
    // The interpreter of this machine, which takes itself for an older one.
    'shim.py': OLD_PYTHON,
  };
  await withDriver(files, async (bench) => {
    const python = execFileSync('which', ['python3']).toString().trim();
    const bare = `${bench.folder}/bare-python`;
    await bench.write('bare-python', `#!/bin/sh\nexec ${python} -S -I "$@"\n`);
    const old = `${bench.folder}/old-python`;
    await bench.write('old-python', `#!/bin/sh\nexec ${python} ${bench.folder}/shim.py "$@"\n`);
    execFileSync('chmod', ['755', bare, old]);
    const cases: readonly (readonly [spec: FunctionSpec, problem: RegExp | undefined])[] = [
      [bench.spec('a.handler'), undefined],
      [bench.spec('c.handler'), /^there is no c\.js, c\.mjs or c\.cjs in /],
      [bench.spec('a.handler', { runtime: 'realm' }), /^there is no a\.js in /],
      [bench.spec('a.handler', { codeDirectory: '/nowhere' }), /^there is no folder \/nowhere$/],
      [
        bench.spec('b.handler', { runtime: 'python', interpreter: '/no/python' }),
        /^there is no \/no\/python to run it with: install Python/,
      ],
      [bench.spec('c.handler', { runtime: 'python' }), /^there is no c\.py in /],
      [
        bench.spec('b.handler', { runtime: 'python', interpreter: bare }),
        /^b\.py imports boto3, which (.*bare-python) does not have: \1 -m pip install boto3$/,
      ],
      [bench.spec('d.handler', { runtime: 'python', interpreter: bare }), /^table\.py imports boto3, which /],
      [bench.spec('f.handler', { runtime: 'python', interpreter: bare }), undefined],
      [bench.spec('g.handler', { runtime: 'python', interpreter: bare }), undefined],
      [bench.spec('i.handler', { runtime: 'python', interpreter: bare }), /^i\.py imports boto3, which /],
      [bench.spec('j.handler', { runtime: 'python', interpreter: bare }), /^j\.py imports boto3, which /],
      [
        bench.spec('k.handler', { runtime: 'python', interpreter: bare, codeDirectory: `${bench.folder}/own` }),
        undefined,
      ],
      [
        bench.spec('f.handler', { runtime: 'python', interpreter: old }),
        /old-python is Python 3\.8: install Python 3\.9 or newer \(`apt-get install python3`/,
      ],
    ];
    for (const [spec, problem] of cases) {
      const found = await bench.runtime.problem(spec);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', problem);
    }
    const open = bench.runtime.open(bench.spec('b.handler', { runtime: 'python', interpreter: '/no/python' }));
    await assert.rejects(runOnce(open, {}), (error) => {
      return error instanceof EnvironmentError && error.message.includes('there is no /no/python');
    });
    const first = async (interpreter: string): Promise<string> => {
      const { outcome } = await runOnce(
        bench.runtime.open(bench.spec('b.handler', { runtime: 'python', interpreter })),
        {},
      );
      return `${outcome.failure?.type}: ${payloadOf(outcome)}`;
    };
    assert.match(await first(bare), /^Runtime\.ImportModuleError: .*; install it: \S+ -m pip install boto3/);
    assert.match(await first(old), /^Runtime\.InvalidEntrypoint: .* is Python 3\.8: install Python 3\.9 or newer/);
  });
});

test('a Python is asked once what it has, however many functions it runs', async () => {
  const files = { 'b.py': 'import boto3\n', 'other/c.py': 'import boto3\n' };
  await withDriver(files, async (bench) => {
    const python = execFileSync('which', ['python3']).toString().trim();
    const interpreter = `${bench.folder}/counting`;
    await bench.write('counting', `#!/bin/sh\necho asked >>${bench.folder}/asked\nexec ${python} -S -I "$@"\n`);
    execFileSync('chmod', ['755', interpreter]);
    const specs = ['b.first', 'b.second', 'c.third'].map((handler) => {
      const codeDirectory = handler.startsWith('c') ? `${bench.folder}/other` : bench.folder;
      return bench.spec(handler, { runtime: 'python', interpreter, codeDirectory });
    });
    const found = await Promise.all(specs.map(async (spec) => await bench.runtime.problem(spec)));
    assert.deepEqual(
      found.map((problem) => /^\w+\.py imports boto3/.exec(problem ?? '')?.[0]),
      ['b.py imports boto3', 'b.py imports boto3', 'c.py imports boto3'],
    );
    assert.equal(readFileSync(`${bench.folder}/asked`, 'utf8'), 'asked\n');
  });
});

test('a syntax error of a handler’s file, or of one it loads, is told with its line, and nothing is run', async () => {
  const files = {
    'good.js': 'require("node:fs").writeFileSync(`${__dirname}/ran`, "");\nexports.handler = async () => 1;\n',
    'module.js': 'import fs from "node:fs";\nexport const handler = async () => fs;\n',
    'bad.js': 'const a = 1;\nexports.handler = async () => { const a = ; };\n',
    'bad.mjs': 'import fs from "node:fs";\n\nexport const handler = async ( => fs;\n',
    'fine.py': 'open("ran", "w").close()\ndef handler(event, context):\n  return 1\n',
    'wrong.py': 'import os\n\ndef handler(event, context:\n  return 1\n',
    'loads.js': 'const { a } = require("./lib/a");\nexports.handler = async () => a;\n',
    'lib/a/index.js': 'exports.a = require("../b.cjs").b;\n',
    'lib/b.cjs': 'exports.b = 1;\n\nexports.c = {{;\n',
    'imports.mjs': 'import {\n  a,\n} from "./lib/d.mjs";\nexport const handler = async () => a;\n',
    'lib/d.mjs': 'export * from "./e.mjs";\nexport const a = 1;\n',
    'lib/e.mjs': 'export const = 1;\n',
    'perhaps.js': 'exports.handler = async () => {\n  require("./lib/b.cjs");\n};\n',
    'whole.py': 'import part.one\ndef handler(event, context):\n  import part.three\n',
    'part/__init__.py': '',
    'part/one.py': 'from .two import x\n',
    'part/two.py': 'x = 1\ny = = 2\n',
    'part/three.py': 'print "old"\n',
    'late.py': 'def handler(event, context):\n  import part.three\n',
  };
  await withDriver(files, async (bench) => {
    const python = { runtime: 'python' } as const;
    const table: readonly (readonly [spec: FunctionSpec, said: RegExp | undefined])[] = [
      [bench.spec('good.handler'), undefined],
      [bench.spec('module.handler'), undefined],
      [bench.spec('gone.handler'), undefined],
      [bench.spec('bad.handler', { codeDirectory: '/nowhere' }), undefined],
      [bench.spec('bad.handler'), /^bad\.js:2: SyntaxError: Unexpected token ';'$/],
      [bench.spec('bad.handler', { interpreter: '/no/node' }), undefined],
      [bench.spec('fine.handler', python), undefined],
      [bench.spec('wrong.handler', python), /^wrong\.py:3: SyntaxError: /],
      [bench.spec('loads.handler'), /^lib\/b\.cjs:3: SyntaxError: /],
      [bench.spec('imports.handler'), /^lib\/e\.mjs:1: SyntaxError: /],
      [bench.spec('perhaps.handler'), undefined],
      [bench.spec('whole.handler', python), /^part\/two\.py:2: SyntaxError: /],
      [bench.spec('late.handler', python), undefined],
    ];
    for (const [spec, said] of table) {
      const found = await bench.runtime.mistake(spec);
      if (said === undefined) assert.equal(found, undefined, spec.handler);
      else assert.match(found ?? '', said);
    }
    await rm(`${bench.folder}/bad.js`);
    assert.match((await bench.runtime.mistake(bench.spec('bad.handler'))) ?? '', /^bad\.mjs:3: SyntaxError: /);
    assert.ok(!existsSync(`${bench.folder}/ran`));
    assert.ok(!existsSync(`${bench.folder}/__pycache__`));
  });
});

const VERSIONS = {
  node: ['sub/h.mjs', 'export const handler = async () => { await new Promise((done) => setTimeout(done, 20)); return VERSION; };'],
  python: ['sub/h.py', 'import time\ndef handler(event, context):\n  time.sleep(0.02)\n  return VERSION\n'],
} as const; // prettier-ignore

for (const runtime of LANGUAGES) {
  test(`${runtime}: changed code is taken over under load, what runs ends on the old code, nothing is lost`, async () => {
    await takeOver(runtime);
  });
}

async function takeOver(runtime: (typeof LANGUAGES)[number]): Promise<void> {
  const [file, text] = VERSIONS[runtime];
  const code = (version: number): string => text.replace('VERSION', String(version));
  await withDriver({ [file]: code(1) }, async (bench) => {
    const open = bench.runtime.open(bench.spec('sub/h.handler', { runtime, isWatched: true, concurrencyMax: 2 }));
    const seen: number[] = [];
    const enough = new AbortController();
    const load = [0, 1, 2].map(async () => {
      while (!enough.signal.aborted) {
        const { outcome } = await runOnce(open, {});
        assert.equal(outcome.failure, undefined);
        seen.push(Number(payloadOf(outcome)));
      }
    });
    while (seen.length < 10) await sleep(10);
    await bench.write(file, code(2));
    const end = performance.now() + 20_000;
    while (seen.at(-1) !== 2 && performance.now() < end) await sleep(10);
    enough.abort();
    await Promise.all(load);
    assert.equal(seen[0], 1);
    assert.equal(seen.at(-1), 2);
    assert.ok(bench.logged.some((line) => line.includes('function.reloaded')));
  });
}

const BETWEEN = `
const later = (what) => async () => { setTimeout(what, 200); return process.pid; };
export const throws = later(() => { throw new Error('between'); });
export const rejects = later(() => Promise.reject(new Error('between')));
export const posts = async () => {
  const { AWS_LAMBDA_RUNTIME_API: address } = process.env;
  setTimeout(() => void fetch('http://' + address + '/2018-06-01/runtime/init/error', { method: 'POST', body: '{"errorMessage":"between"}' }), 200);
  return process.pid;
};
`;

test('what goes wrong between two events is told to neither of them: a new process runs the next', async () => {
  await withDriver({ 'between.mjs': BETWEEN }, async (bench) => {
    for (const handler of ['throws', 'rejects', 'posts']) {
      const open = bench.runtime.open(bench.spec(`between.${handler}`));
      const pids: string[] = [];
      for (let runs = 0; runs < 3; runs += 1) {
        const { outcome } = await runOnce(open, {});
        assert.equal(outcome.failure, undefined, `${handler}: ${payloadOf(outcome)}`);
        pids.push(payloadOf(outcome));
        assert.ok(await isGone(Number(pids.at(-1))), handler);
      }
      assert.equal(new Set(pids).size, 3, handler);
      await open.close(0);
    }
  });
});

test('an event is not handed to a process whose end was not heard of yet', async () => {
  const code = 'export const handler = async () => { setTimeout(() => process.exit(), 50); return process.pid; };';
  await withDriver({ 'i.mjs': code }, async (bench) => {
    const open = bench.runtime.open(bench.spec('i.handler'));
    const pid = Number(payloadOf((await runOnce(open, {})).outcome));
    // While nothing else of this process has its turn.
    const end = performance.now() + 10_000;
    while (isAlive(pid) && performance.now() < end);
    const { outcome } = await runOnce(open, {});
    assert.equal(outcome.failure, undefined, payloadOf(outcome));
    assert.notEqual(Number(payloadOf(outcome)), pid);
  });
});

const ADDRESS = `
export const handler = async () => process.env.AWS_LAMBDA_RUNTIME_API + ' ' + process.pid;
`;

test('nobody else takes the event of a handler that waits for it', async () => {
  await withDriver({ 'address.mjs': ADDRESS }, async (bench) => {
    const open = bench.runtime.open(bench.spec('address.handler'));
    const first = payloadOf((await runOnce(open, {})).outcome);
    const [address = ''] = (JSON.parse(first) as string).split(' ');
    await sleep(200);
    const stolen = await fetch(`http://${address}/2018-06-01/runtime/invocation/next`);
    assert.equal(stolen.status, 403);
    assert.match(await stolen.text(), /"errorType":"InvalidStateTransition"/);
    assert.equal(payloadOf((await runOnce(open, {})).outcome), first);
  });
});

test('a function that is closed while its process is being started runs nothing', async () => {
  const code = "import { writeFileSync } from 'node:fs'; export const handler = async () => writeFileSync('ran', '');";
  await withDriver({ 'i.mjs': code }, async (bench) => {
    const open = bench.runtime.open(bench.spec('i.handler'));
    const running = runOnce(open, {});
    const refused = assert.rejects(running, { code: 'TooManyRequestsException' });
    await open.close(0);
    await refused;
    assert.deepEqual(open.stats(), { processes: 0, running: 0, waiting: 0 });
    // Its process may still be on its way.
    await sleep(500);
    assert.deepEqual(open.stats(), { processes: 0, running: 0, waiting: 0 });
    assert.ok(!existsSync(`${bench.folder}/ran`));
  });
});

test('an event that no process has begun when its function is closed is refused at once, as those that wait are', async () => {
  const files = {
    'loads.mjs': 'await new Promise((done) => setTimeout(done, 9000)); export const handler = async () => 1;',
    'broken.mjs': 'throw new Error("broken");',
    'works.mjs': `import { writeFileSync } from 'node:fs'; export const handler = async () => {
      writeFileSync('begun', ''); await new Promise((done) => setTimeout(done, 9000));
    };`,
  };
  await withDriver(files, async (bench) => {
    const loading = bench.runtime.open(bench.spec('loads.handler'));
    const waited = assert.rejects(runOnce(loading, {}), { code: 'TooManyRequestsException' });
    while (loading.stats().processes === 0) await sleep(10);
    await loading.close(0);
    await waited;
    const broken = bench.runtime.open(bench.spec('broken.handler'));
    // The wait in front of the next start is a random part of a time that doubles.
    for (let starts = 0; starts < 4; starts += 1) await runOnce(broken, {});
    const refused = assert.rejects(runOnce(broken, {}), { code: 'TooManyRequestsException' });
    await broken.close(0);
    assert.deepEqual(broken.stats(), { processes: 0, running: 0, waiting: 0 });
    await refused;
    const working = bench.runtime.open(bench.spec('works.handler'));
    const killed = runOnce(working, {});
    while (!existsSync(`${bench.folder}/begun`)) await sleep(10);
    await working.close(0);
    assert.equal((await killed).outcome.failure?.type, 'Runtime.ExitError');
  });
});

test('a process that has ended is not ended again', async () => {
  const code = 'export const handler = async () => { setTimeout(() => process.exit(), 20); return process.pid; };';
  await withDriver({ 'i.mjs': code }, async (bench) => {
    const kills = mock.method(process, 'kill');
    syncBuiltinESMExports();
    try {
      const open = bench.runtime.open(bench.spec('i.handler', { idleMs: 500 }));
      const pid = Number(payloadOf((await runOnce(open, {})).outcome));
      for (let waits = 0; open.stats().processes > 0 && waits < 200; waits += 1) await sleep(20);
      // What its group still held was ended with it, and its idle time is over.
      await sleep(700);
      await open.close(0);
      assert.deepEqual(
        kills.mock.calls.map((call) => call.arguments[0]),
        [-pid],
      );
    } finally {
      kills.mock.restore();
      syncBuiltinESMExports();
    }
  });
});

const IDLE = `
const kept = [];
export const grows = async () => { setTimeout(() => kept.push(Buffer.alloc(500 << 20, 1)), 100); return process.pid; };
export const keeps = async () => { setTimeout(() => kept.push(Buffer.alloc(500 << 20, 1))); return process.pid; };
export const spins = async () => { setTimeout(() => { for (;;); }, 100); return process.pid; };
`;

test('what a handler does between two events is not charged to the next one', async () => {
  await withDriver({ 'idle.mjs': IDLE }, async (bench) => {
    for (const handler of ['grows', 'keeps', 'spins']) {
      const open = bench.runtime.open(bench.spec(`idle.${handler}`, { timeoutMs: 3000 }));
      const pid = Number(payloadOf((await runOnce(open, {})).outcome));
      if (handler !== 'keeps') assert.ok(await isGone(pid), `${handler} goes on`);
      else await sleep(700);
      const { outcome } = await runOnce(open, {});
      assert.equal(outcome.failure, undefined, `${handler}: ${payloadOf(outcome)}`);
      assert.notEqual(Number(payloadOf(outcome)), pid, handler);
      await open.close(0);
    }
  });
});

test('handlers end with the node, however it ends, and also when they never look up', async () => {
  const files = {
    'h.mjs': 'export const handler = async () => { for (;;); };',
    'i.mjs': 'export const handler = async () => 1;',
  };
  await withDriver(files, async (bench) => {
    const driver = new URL('./index.js', import.meta.url).href;
    const environment = new URL('../../environments/node/index.js', import.meta.url).href;
    const spec = bench.spec('i.handler');
    const program = `
      import { readdirSync, readFileSync } from 'node:fs';
      const { createLambdaRuntime } = await import(${JSON.stringify(driver)});
      const { createNodeEnvironment } = await import(${JSON.stringify(environment)});
      const runtime = createLambdaRuntime({ nodePath: process.execPath, variables: { PATH: process.env.PATH } }, createNodeEnvironment({ log: 'json' }));
      const spec = ${JSON.stringify(spec)};
      await runtime.open(spec).run({ requestId: 'a', event: Buffer.from('1') });
      void runtime.open({ ...spec, handler: 'h.handler' }).run({ requestId: 'b', event: Buffer.from('1') });
      await new Promise((done) => setTimeout(done, 1500));
      const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
      process.stdout.write(children + '\\n', () => process.kill(process.pid, 'SIGKILL'));
    `;
    let text = '';
    try {
      execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    } catch (error) {
      text = (error as { stdout: string }).stdout;
    }
    const pids = text.trim().split(/\s+/).map(Number);
    assert.equal(pids.length, 2);
    for (const pid of pids) assert.ok(await isGone(pid), `${pid} lives on`);
  });
});

test('a process that has nothing to do ends after a while, and costs nothing before', async () => {
  await withDriver({ 'i.mjs': 'export const handler = async () => 1;' }, async (bench) => {
    const open = bench.runtime.open(bench.spec('i.handler', { idleMs: 300 }));
    await runOnce(open, {});
    assert.equal(open.stats().processes, 1);
    for (let waits = 0; open.stats().processes > 0 && waits < 200; waits += 1) await sleep(20);
    assert.equal(open.stats().processes, 0);
    assert.equal(payloadOf((await runOnce(open, {})).outcome), '1');
  });
});

/** CPU time of a process so far, in ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user = '0', system = '0'] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

test('idle handlers use no CPU', async () => {
  const code = 'import os, time\ndef handler(event, context):\n  time.sleep(0.5)\n  return os.getpid()\n';
  await withDriver({ 'idle.py': code }, async (bench) => {
    const open = bench.runtime.open(bench.spec('idle.handler', { runtime: 'python' }));
    const ran = await Promise.all(Array.from({ length: 8 }, async () => await runOnce(open, {})));
    const pids = ran.map(({ outcome }) => Number(payloadOf(outcome)));
    assert.equal(new Set(pids).size, 8);
    await sleep(300);
    const before = pids.map(cpuMs);
    await sleep(1500);
    assert.deepEqual(pids.map(cpuMs), before);
  });
});
