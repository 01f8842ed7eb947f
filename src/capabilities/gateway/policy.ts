import { isMapping } from '../../kernel/json.ts';
import { compileWildcard } from '../../kernel/wildcard.ts';

const ACTION = 'execute-api:Invoke';
const STATEMENTS_MAX = 100;
const ENTRIES_MAX = 100;
const TEXT_CHARACTERS_MAX = 1600;

/** What a policy says of one resource; `undefined`: it is none. What it does not speak of is denied. */
export function allowsInvoke(document: unknown, resource: string): boolean | undefined {
  if (!isMapping(document)) return undefined;
  const statements = listOf(document['Statement']);
  if (statements === undefined || statements.length === 0 || statements.length > STATEMENTS_MAX) return undefined;
  let isAllowed = false;
  let isDenied = false;
  for (const statement of statements) {
    const effect = effectOf(statement, resource);
    if (effect === undefined) return undefined;
    isAllowed ||= effect === 'Allow';
    isDenied ||= effect === 'Deny';
  }
  return isAllowed && !isDenied;
}

function effectOf(statement: unknown, resource: string): 'Allow' | 'Deny' | 'none' | undefined {
  if (!isMapping(statement)) return undefined;
  const { Effect, Action, Resource, Condition } = statement;
  const actions = textsOf(Action);
  const resources = textsOf(Resource);
  if ((Effect !== 'Allow' && Effect !== 'Deny') || actions === undefined || resources === undefined) return undefined;
  // A condition that nobody looks at must not open anything.
  if (Condition !== undefined && Effect === 'Allow') return undefined;
  const isMeant = actions.some((pattern) => compileWildcard(pattern, { ignoreCase: true })(ACTION));
  return isMeant && resources.some((pattern) => compileWildcard(pattern)(resource)) ? Effect : 'none';
}

function textsOf(value: unknown): readonly string[] | undefined {
  const list = listOf(value);
  if (list === undefined || list.length === 0 || list.length > ENTRIES_MAX) return undefined;
  const isFit = list.every((text) => typeof text === 'string' && text.length <= TEXT_CHARACTERS_MAX);
  return isFit ? (list as string[]) : undefined;
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
