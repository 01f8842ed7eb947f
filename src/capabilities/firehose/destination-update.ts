import { isMapping } from '../../kernel/json.ts';
import * as s from '../../kernel/schema/declare.ts';
import { memberSchema } from '../../kernel/schema/shapes.ts';
import { firehoseError } from './errors.ts';
import { isSameServer } from './same-server.ts';

type Values = Readonly<Record<string, unknown>>;

/** Structures that an update has under another name, with all members optional. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['S3Configuration', 'S3Update'],
  ['S3BackupConfiguration', 'S3BackupUpdate'],
]);
const CONFIGURATIONS: ReadonlyMap<string, string> = new Map([...RENAMED].map(([own, update]) => [update, own]));

/** What these can say at creation only (service model). */
const SEARCH_FOR_LIFE = ['S3BackupMode', 'VpcConfiguration'];
const FOR_LIFE: ReadonlyMap<string, readonly string[]> = new Map([
  ['AmazonopensearchserviceDestinationConfiguration', SEARCH_FOR_LIFE],
  ['ElasticsearchDestinationConfiguration', SEARCH_FOR_LIFE],
]);

/** Members of which one says the same in another way: who names one takes the other's place. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['ClusterEndpoint', 'DomainARN'],
  ['DomainARN', 'ClusterEndpoint'],
]);

/** What UpdateDestination may say of a destination with these options: each member, or none. */
export function updateShape(configuration: string, options: s.StructSchema): s.StructSchema {
  const forLife = FOR_LIFE.get(configuration) ?? [];
  const members = Object.entries(options.members).filter(([name]) => !forLife.includes(name));
  return s.struct(
    Object.fromEntries(
      members.map(([name, member]) => {
        const schema = memberSchema(member);
        const renamed = RENAMED.get(name);
        if (renamed === undefined || schema.kind !== 'struct') return [name, s.optional(schema)];
        return [renamed, s.optional(updateShape(name, schema))];
      }),
    ),
  );
}

/**
 * The options after an update: members that it does not name keep their value, also those of S3Update and
 * S3BackupUpdate, and that do not say the same as one that it names. Any other structure that it names takes the place
 * of the former one whole, but for the secrets in it: who changes an address cannot read the key that goes with it. To
 * another server no secret goes along.
 */
export function updatedOptions(options: s.StructSchema, current: Values, update: Values): Values {
  const updated: Record<string, unknown> = { ...withoutRivals(current, update) };
  for (const [name, value] of Object.entries(update)) {
    const own = CONFIGURATIONS.get(name);
    if (own !== undefined) updated[own] = { ...(current[own] as Values | undefined), ...(value as Values) };
    else updated[name] = withSecrets(options.members[name], current[name], value);
  }
  return updated;
}

/** Without members that say in another way what these say. */
export function withoutRivals(options: Values, named: Values): Values {
  const rivals = new Set(Object.keys(named).map((name) => INSTEAD.get(name)));
  return Object.fromEntries(Object.entries(options).filter(([name]) => !rivals.has(name)));
}

/** Names the secret that an update leaves behind, since its structure asks another server now. */
export function secretProblem(options: s.StructSchema, current: Values, update: Values): string | undefined {
  for (const [name, value] of Object.entries(update)) {
    const former = current[name];
    if (!isMapping(value) || !isMapping(former) || isSameServer(former, value)) continue;
    const [left] = secretsOf(options.members[name]).filter((one) => former[one] !== undefined && !(one in value));
    if (left !== undefined) {
      return `${name}.${left}: the one that is stored does not go to another server; give the new one, or an empty one`;
    }
  }
  return undefined;
}

function withSecrets(member: s.Schema | s.Optional | undefined, current: unknown, value: unknown): unknown {
  if (!isMapping(current) || !isMapping(value) || !isSameServer(current, value)) return value;
  const kept = secretsOf(member).flatMap((name) => (current[name] === undefined ? [] : [[name, current[name]]]));
  return { ...Object.fromEntries(kept), ...value };
}

/** Names of the secrets right in a structure. */
function secretsOf(member: s.Schema | s.Optional | undefined): readonly string[] {
  const schema = member === undefined ? undefined : memberSchema(member);
  if (schema?.kind !== 'struct') return [];
  return Object.keys(schema.members).filter((name) => isSecret(memberSchema(schema.members[name] as s.Schema)));
}

function isSecret(schema: s.Schema): boolean {
  return schema.kind === 'string' && schema.secret === true;
}

/** AWS's rule for S3: a backup of all records cannot be switched off again. */
export function backupProblem(current: unknown, updated: unknown): string | undefined {
  const isOn = (options: unknown): boolean => (options as Values)['S3BackupMode'] === 'Enabled';
  return isOn(current) && !isOn(updated) ? 'S3BackupMode: it cannot be switched off again' : undefined;
}

/** InvalidArgumentException with this sentence, if there is one. */
export function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw firehoseError('InvalidArgumentException', problem);
}
