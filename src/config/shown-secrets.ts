import type { ConfigPath, Problem } from '../kernel/schema/check-config.ts';
import type { Schema, StructSchema } from '../kernel/schema/declare.ts';
import { memberSchema } from '../kernel/schema/shapes.ts';
import { memberSchemaOf } from './member-schema-of.ts';

/**
 * The places of secrets in members that are described, listed and logged; `secretPaths` is where secrets stand. What no
 * shape knows is another problem's.
 */
export function shownSecrets(schema: Schema, secretPaths: readonly ConfigPath[]): readonly Problem[] {
  return secretPaths.flatMap((path) => {
    const shapes = shapesTo(schema, path);
    if (shapes === undefined || shapes.some(takesSecrets)) return [];
    const [known] = betterPlaces(shapes);
    const hint = known === undefined ? 'write it as it is where it is none' : `${known} takes one`;
    return [{ path, what: 'a secret would be shown here', expected: '', hint }];
  });
}

/** From the root to the value; shorter where a shape takes anything below it, undefined where there is none. */
function shapesTo(schema: Schema, path: ConfigPath): readonly Schema[] | undefined {
  const shapes = [schema];
  for (const step of path) {
    const last = shapes.at(-1);
    const next = memberSchemaOf(last, step);
    if (next === undefined) return isOpen(last) ? shapes : undefined;
    shapes.push(next);
  }
  return shapes.at(-1)?.kind === 'not-built' ? undefined : shapes;
}

function isOpen(schema: Schema | undefined): boolean {
  return schema?.kind === 'any' || (schema?.kind === 'either' && schema.of.some(isOpen));
}

function takesSecrets(schema: Schema): boolean {
  if (schema.kind === 'either' && schema.of.some(takesSecrets)) return true;
  return schema.hidden === true || (schema.kind === 'string' && schema.secret === true);
}

/** Members for secrets in the structures around a value, the nearest first; not those of what a name stands for. */
function betterPlaces(shapes: readonly Schema[]): readonly string[] {
  return shapes
    .flatMap((shape, index) => {
      const isNamed = index === 0 || shapes[index - 1]?.kind === 'map';
      return shape.kind === 'struct' && !isNamed ? [shape] : [];
    })
    .toReversed()
    .flatMap(secretMembers);
}

function secretMembers({ members }: StructSchema): readonly string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const schema = memberSchema(member);
    if (takesSecrets(schema)) return [name];
    return schema.kind === 'struct' ? secretMembers(schema).map((below) => `${name}.${below}`) : [];
  });
}
