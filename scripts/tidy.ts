/**
 * The house rules as a program: doors between rooms, sizes of functions and files, banned words, the shape of a
 * capability. Prints one line per violation and ends with exit code 1 when there is any.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { doorFor, type Door } from './doors.ts';

/** One broken rule at one place. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

const LINE_COLUMNS_MAX = 120;
const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const BANNED = [
  /\b(TODO|FIXME|XXX)\b/,
  /\bstub\b/i,
  /not (yet )?implemented/i,
  // Kafka's words for our things; `kafka-log` is the room where they belong.
  /\bmessage broker\b/i,
];
const AMBIENT = [
  /\bDate\.now\(/,
  /\bnew Date\(\)/,
  /\bMath\.random\(/,
  /\bset(Timeout|Interval|Immediate)\(/,
  /\bprocess\.(?!env\b\.NODE_NEVER)/,
  /\bperformance\.now\(/,
  /\bcrypto\.(randomUUID|randomBytes|getRandomValues)\(/,
];
/** Once it is compiled it takes no character beyond ASCII, in Node 20. */
const FORGETS = /\bURL\.canParse\(/;
// The conformance checks and the bootstraps of handlers are programs of their own that run outside a node; threads that
// run scripts have their own time.
const AMBIENT_ROOMS = [
  'src/environments/',
  'src/wire/http/',
  'src/main',
  'src/testing/',
  'src/conformance/',
  'src/drivers/lambda-runtime/bootstraps/',
  'src/drivers/lambda-runtime/realm/',
  'src/drivers/quickjs/worker/',
];
/** Platform modules that do no I/O, keep no state and answer at once. */
const PURE_NODE = new Set([
  'node:crypto',
  'node:zlib',
  'node:buffer',
  'node:util',
  'node:assert',
  'node:assert/strict',
]);
const NODE_ROOMS = [
  'src/environments/',
  'src/drivers/',
  'src/wire/http/',
  'src/wire/websocket/',
  'src/main',
  'src/testing/',
];

/** Checks every TypeScript file under `root`/src. */
export function tidy(root: string): Violation[] {
  const found: Violation[] = [];
  for (const file of sources(join(root, 'src'))) {
    const path = relative(root, file).split(sep).join('/');
    found.push(...checkFile(path, readFileSync(file, 'utf8')));
  }
  found.push(...checkCapabilities(root));
  return found;
}

/** All checks of one file; `path` is relative to the project, with `/`. */
export function checkFile(path: string, text: string): Violation[] {
  const isTest = path.endsWith('.test.ts') || path.endsWith('.fixture.ts');
  const lines = text.split('\n');
  return [
    ...checkSizes(path, lines, isTest),
    ...checkWords(path, lines, isTest),
    ...(isTest ? [] : checkImports(path, lines)),
    ...(isTest ? [] : checkDocs(path, lines)),
  ];
}

function checkSizes(path: string, lines: readonly string[], isTest: boolean): Violation[] {
  const found: Violation[] = [];
  if (!isTest && lines.length > FILE_LINES_MAX) {
    found.push({ file: path, line: lines.length, rule: `file has more than ${FILE_LINES_MAX} lines` });
  }
  lines.forEach((line, index) => {
    // Tests quote long sentences whole.
    if (!isTest && line.length > LINE_COLUMNS_MAX) {
      found.push({ file: path, line: index + 1, rule: `line is longer than ${LINE_COLUMNS_MAX} columns` });
    }
  });
  if (!isTest) found.push(...longFunctions(path, lines));
  return found;
}

/** Functions are found by indentation, which the formatter guarantees: a header ending in `{`, closed by `}` below it. */
function longFunctions(path: string, lines: readonly string[]): Violation[] {
  const found: Violation[] = [];
  const header =
    /^(\s*)(export )?(default )?((async )?function\b.*|(private |protected |static |override |async |get |set |#|\*)*[\w#]+\(.*\).*|(const|let) \w+ = (async )?\(.*=>.*)\{$/;
  lines.forEach((line, index) => {
    const indent = header.exec(line)?.[1];
    if (indent === undefined || /^\s*(if|for|while|switch|catch|else|return|describe|test|it)\b/.test(line)) return;
    const end = lines.findIndex((other, at) => at > index && new RegExp(`^${indent}\\}`).test(other));
    if (end - index + 1 > FUNCTION_LINES_MAX) {
      found.push({ file: path, line: index + 1, rule: `function is longer than ${FUNCTION_LINES_MAX} lines` });
    }
  });
  return found;
}

function checkWords(path: string, lines: readonly string[], isTest: boolean): Violation[] {
  const found: Violation[] = [];
  const ambient = !isTest && !AMBIENT_ROOMS.some((room) => path.startsWith(room));
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, '');
    for (const word of BANNED) {
      if (word.test(line)) found.push({ file: path, line: index + 1, rule: `banned words ${word.source}` });
    }
    if (FORGETS.test(code))
      found.push({ file: path, line: index + 1, rule: 'URLs are read by kernel/net/parse-url.ts' });
    for (const word of AMBIENT) {
      if (ambient && word.test(code)) {
        found.push({
          file: path,
          line: index + 1,
          rule: `time, chance and the process come through Environment: ${word.source}`,
        });
      }
    }
  });
  return found;
}

function checkImports(path: string, lines: readonly string[]): Violation[] {
  const found: Violation[] = [];
  const door: Door = doorFor(path);
  lines.forEach((line, index) => {
    const target = /(?:^|\s)from '([^']+)';?$/.exec(line)?.[1] ?? /\bimport\('([^']+)'\)/.exec(line)?.[1];
    if (target === undefined || line.trimStart().startsWith('*')) return;
    const rule = importRule(path, door, target);
    if (rule !== undefined) found.push({ file: path, line: index + 1, rule });
  });
  return found;
}

function importRule(path: string, door: Door, target: string): string | undefined {
  if (target.startsWith('node:')) {
    if (NODE_ROOMS.some((room) => path.startsWith(room))) return undefined;
    if (door.room === 'kernel') return 'kernel imports no node: module';
    return PURE_NODE.has(target) ? undefined : `${target} only in environments, drivers, wire/http, wire/websocket`;
  }
  if (!target.startsWith('.')) {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
    return door.packages.includes(name) ? undefined : `${door.room} may not import the package ${target}`;
  }
  if (!target.endsWith('.ts')) return `own files are imported with their .ts ending: ${target}`;
  const resolved = join(path, '..', target).split(sep).join('/');
  const other = doorFor(resolved);
  if (
    other.room === door.room ||
    door.mayImport.some((room) => other.room === room || other.room.startsWith(`${room}/`))
  ) {
    return undefined;
  }
  return `${door.room} may not import ${other.room}`;
}

/** Every exported name is said in one sentence. */
function checkDocs(path: string, lines: readonly string[]): Violation[] {
  const found: Violation[] = [];
  lines.forEach((line, index) => {
    const name = /^export (?:async )?(?:function\*?|class|interface|type|const) (\w+)/.exec(line)?.[1];
    if (name === undefined) return;
    const above = lines[index - 1] ?? '';
    const overload = above.startsWith('export function') && above.endsWith(';');
    if (
      !overload &&
      !/\*\/\s*$/.test(above) &&
      !path.startsWith('src/ports/') &&
      !path.startsWith('src/kernel/schema/declare')
    ) {
      found.push({ file: path, line: index + 1, rule: `exported ${name} has no doc sentence` });
    }
  });
  return found;
}

/** The shape all capabilities share (design: index, config, errors, limits, events, operations or kinds or workers). */
function checkCapabilities(root: string): Violation[] {
  const found: Violation[] = [];
  const home = join(root, 'src/capabilities');
  for (const name of readdirSync(home)) {
    if (!statSync(join(home, name)).isDirectory()) continue;
    const have = new Set(readdirSync(join(home, name)));
    for (const must of ['index.ts', 'config.ts', 'model.ts', 'errors.ts', 'limits.ts', 'events.ts']) {
      if (!have.has(must)) found.push({ file: `src/capabilities/${name}`, line: 0, rule: `a capability has ${must}` });
    }
    if (!have.has('operations')) continue;
    const operations = new Set(readdirSync(join(home, name, 'operations')));
    for (const file of operations) {
      if (file.endsWith('.test.ts')) continue;
      if (!operations.has(file.replace(/\.ts$/, '.test.ts'))) {
        found.push({
          file: `src/capabilities/${name}/operations/${file}`,
          line: 0,
          rule: 'an operation has its test beside it',
        });
      }
    }
  }
  return found;
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

if (process.argv[1]?.endsWith('tidy.js')) {
  const violations = tidy(process.cwd());
  for (const { file, line, rule } of violations) process.stdout.write(`${file}:${line} ${rule}\n`);
  process.stdout.write(violations.length === 0 ? 'tidy: no violations\n' : `tidy: ${violations.length} violations\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
