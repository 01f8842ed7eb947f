import { isNoted } from '../../src/ports/audit.ts';
import { capabilities } from '../../src/registry.ts';
import { knownServices, type KnownService } from './known-actions.ts';
import { code, head, table } from './markdown.ts';

const ABOUT = `Which actions of the AWS services are served, and which answer an error for now. \`control\` actions change or describe what
there is, \`data\` actions carry records; with key pairs the \`noted\` ones leave an entry in \`$audit\`. Beside its own errors
every action may answer those of the wire ([errors.md](errors.md)). Names come from AWS's published service models;
behaviour follows them and AWS's documentation.
`;

/** An action as its operation declares it. */
export type ServedAction = Pick<
  (typeof capabilities)[number]['operations'][number],
  'name' | 'plane' | 'doc' | 'errors' | 'isNotBuilt'
>;

/** Actions served under an \`X-Amz-Target\` prefix, by name. */
export function servedActions(target: string): readonly ServedAction[] {
  const all = capabilities.flatMap(({ operations }) => operations).filter((operation) => operation.target === target);
  return all.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Every known action of every service. */
export function actionsPage(): string {
  return [head('AWS actions', ABOUT), ...knownServices.map(service), restSection()].join('\n');
}

/** Actions that have a path of their own. */
export const restActions = capabilities.flatMap(({ name: service, rest = [] }) =>
  rest.map(({ name, method, path, plane, doc, errors }) => ({ service, name, method, path, plane, doc, errors })),
);

function restSection(): string {
  const rows = restActions.map(({ service, name, method, path, plane, doc, errors }) => [
    code(`${service}:${name}`),
    code(`${method} ${path}`),
    plane,
    doc,
    code(...Object.keys(errors).toSorted()),
  ]);
  const about = 'Actions with a path of their own, by the word that permissions know them by. Others answer 404.';
  return [
    `## Lambda`,
    '',
    about,
    '',
    table(['action', 'request', 'plane', 'what it does', 'its own errors'], rows),
  ].join('\n');
}

function service(known: KnownService): string {
  const declared = new Map(servedActions(known.target).map((action) => [action.name, action]));
  const isServed = (name: string): boolean => declared.has(name) && declared.get(name)?.isNotBuilt !== true;
  const all = known.groups.flatMap(({ actions }) => actions);
  return [
    `## ${known.title}`,
    '',
    `\`X-Amz-Target: ${known.target}.ACTION\`; ${all.filter(isServed).length} of ${all.length} actions are served. The others`,
    'answer `UnknownOperationException` (400).',
    '',
    ...known.groups.flatMap(({ title, actions }) => {
      const rows = actions.map((name) => row(name, declared.get(name)));
      const count = `${actions.filter(isServed).length} of ${actions.length}`;
      return [
        `### ${title}: ${count}`,
        '',
        table(['action', 'state', 'plane', 'what it does', 'its own errors'], rows),
      ];
    }),
  ].join('\n');
}

function row(name: string, action: ServedAction | undefined): readonly string[] {
  if (action === undefined) return [code(name), 'error', '', 'Not built yet; the error has no message.', ''];
  const { plane, doc, errors, isNotBuilt = false } = action;
  if (isNotBuilt) return [code(name), 'error', '', `${doc} The error says so.`, ''];
  const note = isNoted(action) ? `${plane}, noted` : plane;
  return [code(name), 'served', note, doc, code(...errors.toSorted())];
}
