import type { SseOptions } from './settings.ts';

/** What a file of runtime properties says. */
export interface RuntimeProperties {
  readonly options: SseOptions;
  /** In a sentence; absent: none. */
  readonly problem?: string;
  /** Keys that change nothing, each with the reason. */
  readonly notes: readonly string[];
}

type Group = Readonly<Record<string, unknown>>;

const SOURCE = 'SSESourceProperties';
const TEXTS = ['url', 'headers', 'types'] as const;
const NUMBERS = ['readTimeoutMS', 'reportMessagesReceivedMS'] as const;
const MILLISECONDS = /^\d{1,8}$/;

/**
 * Reads the runtime properties of the sample: the list of groups of an `application_properties.json`, or what the AWS
 * CLI takes (`EnvironmentProperties`) and answers (`EnvironmentPropertyDescriptions`).
 */
export function readProperties(text: string): RuntimeProperties {
  const groups = groupsOf(parse(text));
  if (groups === undefined) return wrong('expected groups of properties: [{ PropertyGroupId, PropertyMap }]');
  const notes: string[] = [];
  const options: Record<string, string | number> = {};
  for (const [group, properties] of groups) {
    for (const [key, value] of Object.entries(properties)) {
      const problem = group === SOURCE ? take(options, key, value) : other(group, key, value, notes);
      if (problem === 'unknown') notes.push(`${group}.${key} has no effect: there is no such property`);
      else if (problem !== undefined) return wrong(`${group}.${key}: ${problem}`);
    }
  }
  return { options, notes };
}

function wrong(problem: string): RuntimeProperties {
  return { options: {}, problem, notes: [] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function groupsOf(value: unknown): ReadonlyMap<string, Group> | undefined {
  const list = listOf(value);
  if (list === undefined) return undefined;
  const groups = new Map<string, Group>();
  for (const one of list) {
    const { PropertyGroupId: id, PropertyMap: map } = objectOf(one) ?? {};
    const properties = objectOf(map);
    if (typeof id !== 'string' || properties === undefined) return undefined;
    groups.set(id, properties);
  }
  return groups;
}

/** Looks for the list inside what the AWS CLI wraps around it. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  const inner = objectOf(value);
  if (inner === undefined) return undefined;
  for (const name of WRAPPERS) if (Object.hasOwn(inner, name)) return listOf(inner[name]);
  return undefined;
}

const WRAPPERS = [
  'ApplicationDetail',
  'ApplicationConfigurationDescription',
  'ApplicationConfiguration',
  'ApplicationConfigurationUpdate',
  'EnvironmentPropertyDescriptions',
  'EnvironmentPropertyUpdates',
  'EnvironmentProperties',
  'PropertyGroupDescriptions',
  'PropertyGroups',
];

function objectOf(value: unknown): Group | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Group) : undefined;
}

/** Takes one property of the source; `unknown`, or what is wrong with it. */
function take(options: Record<string, string | number>, key: string, value: unknown): string | undefined {
  const number = NUMBERS.find((name) => name === key);
  if (number !== undefined) {
    const text = String(value);
    if (!MILLISECONDS.test(text)) return 'expected a number of milliseconds';
    options[number] = Number(text);
    return undefined;
  }
  const name = TEXTS.find((one) => one === key);
  if (name === undefined) return 'unknown';
  if (typeof value !== 'string' || value.length > 16_384) return 'expected a text';
  if (value !== '') options[name] = value;
  return undefined;
}

function other(group: string, key: string, value: unknown, notes: string[]): string | undefined {
  if (group === 'ProducerConfigProperties' && key === 'AggregationEnabled') {
    if (String(value).toLowerCase() === 'true')
      return 'records are not aggregated; set it to false, as the sample says';
    return undefined;
  }
  const reasons: Readonly<Record<string, string>> = {
    ProducerConfigProperties: 'there is no producer between the source and the log',
    OutputStreamProperties: 'the stream is named by `to`',
  };
  notes.push(`${group}.${key} has no effect: ${reasons[group] ?? 'there is no such group'}`);
  return undefined;
}
