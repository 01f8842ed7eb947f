import { configSchema } from '../../src/config/schema.ts';
import { referenceTable } from '../../src/kernel/schema/reference.ts';
import { memberSchema } from '../../src/kernel/schema/shapes.ts';
import { capabilities } from '../../src/registry.ts';
import { head } from './markdown.ts';

const ABOUT = `One YAML file (\`millrace.yaml\`), or a module with \`export default defineConfig({...})\`. Words that begin with
a capital letter are AWS's own, with AWS's names, units, ranges and defaults; the others are millrace's. Unknown words are
errors. A key below stands for its place in the file: \`NAME\` is any name, \`[]\` each item of a list.

\`\${env:X}\` and \`\${env:X:-default}\` may stand wherever a value may, \`\${secret:X}\` where nothing shows it: elsewhere it is
an error. Editors check the file while you type when its first line is
\`# yaml-language-server: $schema=node_modules/millrace/docs/reference/config.schema.json\`.
`;

/** Every word of the config file. */
export function configPage(): string {
  const members = Object.entries(configSchema(capabilities).members);
  const isBuilt = ([, member]: (typeof members)[number]): boolean => memberSchema(member).kind !== 'not-built';
  const sections = members.filter(isBuilt).map(([name, member]) => `## \`${name}\`\n\n${referenceTable(member, name)}`);
  const coming = members.filter((entry) => !isBuilt(entry));
  return [head('The config file', ABOUT), ...sections, notBuilt(coming.map(([name]) => name))].join('\n');
}

function notBuilt(names: readonly string[]): string {
  const about = 'Known words of sections to come; using one is the error `not built yet`.';
  return `## Not built yet\n\n${about}\n\n${names.map((name) => `- \`${name}\`\n`).join('')}`;
}
