import * as s from '../../kernel/schema/declare.ts';
import { memberSchema } from '../../kernel/schema/shapes.ts';
import { firehoseError } from './errors.ts';

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
 * S3BackupUpdate. Any other structure that it names takes the place of the former one whole, but for the secrets in it:
 * who changes an address cannot read the key that goes with it.
 */
export function updatedOptions(options: s.StructSchema, current: Values, update: Values): Values {
  const updated: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(update)) {
    const own = CONFIGURATIONS.get(name);
    if (own !== undefined) updated[own] = { ...(current[own] as Values | undefined), ...(value as Values) };
    else updated[name] = withSecrets(options.members[name], current[name], value);
  }
  return updated;
}

function withSecrets(member: s.Schema | s.Optional | undefined, current: unknown, value: unknown): unknown {
  const schema = member === undefined ? undefined : memberSchema(member);
  if (schema?.kind !== 'struct' || typeof current !== 'object') return value;
  const secrets = Object.entries(schema.members)
    .filter(([, one]) => isSecret(memberSchema(one)))
    .map(([name]) => [name, (current as Values)[name]] as const)
    .filter(([, kept]) => kept !== undefined);
  return { ...Object.fromEntries(secrets), ...(value as Values) };
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
