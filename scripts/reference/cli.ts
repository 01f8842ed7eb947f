import { exitCodes, type CliContext } from '../../src/cli/context.ts';
import { runCli } from '../../src/cli/index.ts';
import { head } from './markdown.ts';

const COMMANDS = [
  'dev',
  'start',
  'lint',
  'put',
  'tail',
  'trigger',
  'inspect',
  'invoke',
  'converters',
  'converters test',
  'preview',
  'ps',
  'replay',
  'env',
  'doctor',
] as const;
const COLUMNS = 80;

const ABOUT = `Data goes to stdout, everything else to stderr, so that \`--json\` can be piped. Commands that talk to a node find
it by \`--api\`, or by \`MILLRACE_API\`.

Exit codes: ${exitCodes.ok} done, ${exitCodes.failure} failed, ${exitCodes.usage} wrong usage, ${exitCodes.invalidConfig} \
invalid config, ${exitCodes.unreachable} no node answers; a node whose disk no longer confirms what it wrote ends with 70.
`;

/** The commands with their options, in the program's own words. */
export async function cliPage(): Promise<string> {
  const whole = `## \`millrace\`\n\n${fenced(await help([]))}`;
  const each = await Promise.all(
    COMMANDS.map(async (name) => `## \`millrace ${name}\`\n\n${fenced(await help(name.split(' ')))}`),
  );
  return [head('The command line', ABOUT), whole, ...each].join('\n');
}

/** What \`--help\` prints; the same whatever terminal it is asked in. */
export async function help(words: readonly string[]): Promise<string> {
  // Help wraps at the terminal's width, where there is a terminal.
  process.stdout.columns = COLUMNS;
  let text = '';
  const context = { args: [...words, '--help'], version: '0', out: (part: string) => (text += part), err: () => '' };
  // Help is printed before anything else of the context is touched.
  const exitCode = await runCli(context as unknown as CliContext);
  if (exitCode !== exitCodes.ok) throw new Error(`no help for ${words.join(' ')}`);
  return text;
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}
