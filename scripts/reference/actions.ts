import { capabilities } from '../../src/registry.ts';
import { knownServices, type KnownService } from './known-actions.ts';
import { code, head, table } from './markdown.ts';

const ABOUT = `Which actions of the AWS services answer, and which do not yet. \`control\` actions change or describe what
there is, \`data\` actions carry records. Beside its own errors every action may answer those of the wire
([errors.md](errors.md)). Names come from AWS's published service models; behaviour follows them and AWS's documentation.
`;

/** An action as its operation declares it. */
export type ServedAction = Pick<
  (typeof capabilities)[number]['operations'][number],
  'name' | 'plane' | 'doc' | 'errors'
>;

/** Actions served under an \`X-Amz-Target\` prefix, by name. */
export function servedActions(target: string): readonly ServedAction[] {
  const all = capabilities.flatMap(({ operations }) => operations).filter((operation) => operation.target === target);
  return all.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Every known action of every service. */
export function actionsPage(): string {
  return [head('AWS actions', ABOUT), ...knownServices.map(service)].join('\n');
}

function service(known: KnownService): string {
  const served = servedActions(known.target);
  const names = new Set(served.map(({ name }) => name));
  const rows = served.map(({ name, plane, doc, errors }) => [code(name), plane, doc, code(...errors.toSorted())]);
  const count = known.groups.reduce((sum, { actions }) => sum + actions.length, 0);
  return [
    `## ${known.title}`,
    '',
    `\`X-Amz-Target: ${known.target}.ACTION\`; ${served.length} of ${count} actions.`,
    '',
    table(['action', 'plane', 'what it does', 'its own errors'], rows),
    'These answer `UnknownOperationException` for now:',
    '',
    ...known.groups.map(({ title, actions }) => {
      const absent = actions.filter((action) => !names.has(action));
      return `- ${title}: ${absent.length === 0 ? 'none' : code(...absent)}`;
    }),
    '',
  ].join('\n');
}
