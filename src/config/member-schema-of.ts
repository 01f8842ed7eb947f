import type { Schema } from '../kernel/schema/declare.ts';
import { memberSchema } from '../kernel/schema/shapes.ts';

/** The shape of a member or an item, through the choices that a shape may have; undefined: it has none by that name. */
export function memberSchemaOf(shape: Schema | undefined, step: string | number): Schema | undefined {
  switch (shape?.kind) {
    case 'list':
      return typeof step === 'number' ? shape.item : undefined;
    case 'map':
      return typeof step === 'string' ? shape.value : undefined;
    case 'either':
      return shape.of.map((choice) => memberSchemaOf(choice, step)).find((one) => one !== undefined);
    case 'struct': {
      const member = Object.hasOwn(shape.members, step) ? shape.members[step] : undefined;
      return member === undefined ? undefined : memberSchema(member);
    }
    default:
      return undefined;
  }
}
