import type { Command } from 'commander';
import { CONVERTER_PARAMETERS } from '../kernel/converter-parameters.ts';
import { canonicalJson, parseJson, type Json } from '../kernel/json.ts';
import type { ScriptArgument, ScriptFailure, ScriptOutcome } from '../ports/script.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';
import { differences } from './differences.ts';

interface Flags {
  readonly payload?: string;
  readonly msg?: string;
  readonly msgType: string;
  readonly metadata: string;
  readonly expect?: string;
  readonly json?: true;
}

const ENCODINGS: Readonly<Record<string, (text: string) => Uint8Array | undefined>> = {
  text: (text) => Buffer.from(text),
  base64: (text) => decoded(text, 'base64', /^[A-Za-z0-9+/_-]*={0,2}$/),
  hex: (text) => decoded(text, 'hex', /^([0-9A-Fa-f]{2})*$/),
};
const SHOWN_DIFFERENCES = 20;

/** `converters test FILE`: runs a converter script on one input, as an integration would. */
export function declareConverters(program: Command, context: CliContext): void {
  const converters = program.command('converters').description('try converter scripts');
  converters
    .command('test')
    .description('run a converter script on one input and print or compare what it returns')
    .argument('<file>', 'the script: the body of a function')
    .option('--payload <value>', 'for an uplink converter: a file, or inline as text:…, base64:…, hex:… or JSON')
    .option('--msg <value>', 'for a downlink converter: a file with JSON, or JSON')
    .option('--msg-type <name>', 'for a downlink converter', 'ATTRIBUTES_UPDATED')
    .option('--metadata <value>', 'a file with JSON, or JSON', '{}')
    .option('--expect <value>', 'what it must return: a file with JSON, or JSON; another result is exit code 1')
    .option('--json', 'one JSON line: ok, result, failure, printed, differences')
    .action(async (file: string, flags: Flags) => await test(context, file, flags));
}

async function test(context: CliContext, file: string, flags: Flags): Promise<void> {
  const { parameters, values } = await argumentsOf(context, flags);
  const expected = flags.expect === undefined ? undefined : await json(context, '--expect', flags.expect);
  const text = Buffer.from(await context.readFile(file)).toString();
  const scripts = context.scripts();
  let outcome: ScriptOutcome;
  try {
    [outcome = { printed: [] }] = await scripts.open({ name: file, text, parameters }).call([values]);
  } finally {
    await scripts.close();
  }
  report(context, file, flags, outcome, expected);
}

async function argumentsOf(
  context: CliContext,
  { payload, msg, msgType, metadata }: Flags,
): Promise<{ readonly parameters: readonly string[]; readonly values: readonly ScriptArgument[] }> {
  if ((payload === undefined) === (msg === undefined))
    throw new CliError('give --payload for an uplink converter, or --msg for a downlink converter', exitCodes.usage);
  const about = JSON.stringify(await json(context, '--metadata', metadata));
  if (payload !== undefined)
    return { parameters: CONVERTER_PARAMETERS.uplink, values: [await bytes(context, payload), about] };
  const message = JSON.stringify(await json(context, '--msg', msg ?? ''));
  return { parameters: CONVERTER_PARAMETERS.downlink, values: [message, about, JSON.stringify(msgType)] };
}

/** Bytes given inline, or those of a file. */
async function bytes(context: CliContext, value: string): Promise<Uint8Array> {
  const [, encoding = '', rest = ''] = /^(text|base64|hex):(.*)$/s.exec(value) ?? [];
  const decode = ENCODINGS[encoding];
  if (decode === undefined) return isInline(value) ? Buffer.from(value) : await context.readFile(value);
  const found = decode(rest);
  if (found === undefined) throw new CliError(`--payload is not ${encoding}`, exitCodes.usage);
  return found;
}

function decoded(text: string, encoding: 'base64' | 'hex', pattern: RegExp): Uint8Array | undefined {
  return pattern.test(text) ? Buffer.from(text, encoding) : undefined;
}

/** A JSON value given inline, or that of a file. */
async function json(context: CliContext, option: string, value: string): Promise<Json> {
  const inline = parseJson(value) as Json | undefined;
  if (inline !== undefined) return inline;
  if (isInline(value)) throw new CliError(`${option} is no JSON`, exitCodes.usage);
  const found = parseJson(await context.readFile(value)) as Json | undefined;
  if (found === undefined) throw new CliError(`${option}: ${value} holds no JSON`, exitCodes.usage);
  return found;
}

function isInline(value: string): boolean {
  return /^\s*[{["]/.test(value);
}

function report(
  context: CliContext,
  file: string,
  flags: Flags,
  { json: text, failure, printed }: ScriptOutcome,
  expected: Json | undefined,
): void {
  const result = text === undefined ? undefined : (JSON.parse(text) as Json);
  const isSame = expected === undefined || (result !== undefined && canonicalJson(result) === canonicalJson(expected));
  const found = isSame || result === undefined || expected === undefined ? [] : differences(expected, result);
  if (flags.json === true) {
    const facts = { ok: failure === undefined && isSame, result, failure, printed, differences: found };
    context.out(`${JSON.stringify(facts)}\n`);
  } else {
    for (const line of printed) context.err(`${line}\n`);
    if (result !== undefined) context.out(`${JSON.stringify(result, null, 2)}\n`);
    for (const line of found.slice(0, SHOWN_DIFFERENCES)) context.err(`${line}\n`);
  }
  if (failure !== undefined) throw new CliError(`${place(file, failure)}: ${failure.message}`);
  if (!isSame) throw new CliError(`${file}: the result is not what --expect says`);
}

function place(file: string, { line, column }: ScriptFailure): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}
