import { memberSchema } from '../../kernel/schema/shapes.ts';
import type { Schema } from '../../kernel/schema/declare.ts';

/** Items of a list that are written in one piece: a millisecond's work where they are shards. */
export const LIST_PIECE_ITEMS = 100;

/** Whether a value is, or has in its members, a list that is written in several pieces. */
export function holdsLongList(schema: Schema, value: unknown): boolean {
  if (schema.kind === 'list') return Array.isArray(value) && value.length > LIST_PIECE_ITEMS;
  if (schema.kind !== 'struct' || typeof value !== 'object' || value === null) return false;
  const given = value as Readonly<Record<string, unknown>>;
  return Object.entries(schema.members).some(([name, member]) => holdsLongList(memberSchema(member), given[name]));
}
