import { memberSchema } from '../src/kernel/schema/shapes.ts';
import type { Schema } from '../src/kernel/schema/declare.ts';
import type { ModelShape } from './service-model.ts';

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'integer',
  long: 'long',
  double: 'double',
  boolean: 'boolean',
  blob: 'blob',
  timestamp: 'timestamp',
  list: 'list',
  map: 'map',
  struct: 'structure',
};

/** Says at which places a declaration differs from the model; bounds count for what comes in only. */
export function differences(path: string, declared: Schema, shape: ModelShape, isInput: boolean): string[] {
  const found: string[] = [];
  if (TYPES[declared.kind] !== shape.type) found.push(`${path} is a ${shape.type}`);
  if (isInput) found.push(...bounds(path, declared, shape));
  switch (declared.kind) {
    case 'struct': {
      const names = Object.keys(shape.members ?? {});
      for (const name of Object.keys(declared.members))
        if (!names.includes(name)) found.push(`${path}.${name} is unknown`);
      for (const [name, member] of Object.entries(shape.members ?? {})) {
        const own = declared.members[name];
        if (own === undefined) {
          found.push(`${path}.${name} is missing`);
          continue;
        }
        const isRequired = shape.required?.includes(name) ?? false;
        // What an answer always has may be optional in the model.
        if (isInput && isRequired !== (own.kind !== 'optional')) {
          found.push(`${path}.${name} is ${isRequired ? 'required' : 'optional'}`);
        } else if (!isInput && isRequired && own.kind === 'optional') found.push(`${path}.${name} is required`);
        found.push(...differences(`${path}.${name}`, memberSchema(own), member, isInput));
      }
      return found;
    }
    case 'list':
      return [...found, ...differences(`${path}[]`, declared.item, shape.item ?? { type: 'nothing' }, isInput)];
    case 'map':
      found.push(...differences(`${path}{key}`, declared.key, shape.key ?? { type: 'nothing' }, isInput));
      return [...found, ...differences(`${path}{}`, declared.value, shape.value ?? { type: 'nothing' }, isInput)];
    default:
      return found;
  }
}

function bounds(path: string, declared: Schema, shape: ModelShape): string[] {
  const { min, max, pattern, values } = declared as {
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: string;
    readonly values?: readonly string[];
  };
  const found: string[] = [];
  if (min !== shape.min) found.push(`${path} has min ${shape.min}`);
  if (max !== shape.max) found.push(`${path} has max ${shape.max}`);
  // What the contract relaxes in texts: account ids, and http where `outgoing` allows it.
  const strict = pattern?.replaceAll('\\d{11,13}', '\\d{12}').replace(/^https\?:/, 'https:');
  if (strict !== shape.pattern) found.push(`${path} has pattern ${shape.pattern}`);
  const [own, theirs] = [values ?? [], shape.enum ?? []].map((one) => [...one].sort().join());
  if (own !== theirs) found.push(`${path} has values ${theirs}`);
  return found;
}
