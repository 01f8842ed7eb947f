import { memberSchema } from '../../kernel/schema/shapes.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import { holdsLongList, LIST_PIECE_ITEMS } from '../aws-json/long-lists.ts';
import { CborWriter } from './writer.ts';

/** A value as AWS's CBOR writes it: bytes as they are, times as epoch ms under tag 1; what has no shape is left out. */
export function encodeAwsCbor(schema: Schema, value: unknown): Uint8Array {
  const writer = new CborWriter();
  write(writer, schema, value);
  return writer.done();
}

/** The bytes of encodeAwsCbor in pieces: long lists, where they are not inside of others, are divided. */
export function* cborPieces(schema: Schema, value: unknown): Generator<Uint8Array> {
  if (!holdsLongList(schema, value)) {
    yield encodeAwsCbor(schema, value);
  } else if (schema.kind === 'list') {
    const items = value as readonly unknown[];
    for (let from = 0; from < items.length; from += LIST_PIECE_ITEMS) {
      const writer = new CborWriter();
      if (from === 0) writer.list(items.length);
      for (const item of items.slice(from, from + LIST_PIECE_ITEMS)) write(writer, schema.item, item);
      yield writer.done();
    }
  } else if (schema.kind === 'struct') {
    const given = value as Readonly<Record<string, unknown>>;
    const members = Object.entries(schema.members).filter(([name]) => isPresent(given[name]));
    let writer = new CborWriter();
    writer.map(members.length);
    for (const [name, member] of members) {
      writer.text(name);
      yield writer.done();
      yield* cborPieces(memberSchema(member), given[name]);
      writer = new CborWriter();
    }
  }
}

/** A map of texts. */
export function encodeTexts(texts: Readonly<Record<string, string>>): Uint8Array {
  const writer = new CborWriter();
  const entries = Object.entries(texts);
  writer.map(entries.length);
  for (const [name, text] of entries) {
    writer.text(name);
    writer.text(text);
  }
  return writer.done();
}

function write(writer: CborWriter, schema: Schema, value: unknown): void {
  switch (schema.kind) {
    case 'blob':
      return writer.bytes(value as Uint8Array);
    case 'timestamp':
      return writer.time(value as number);
    case 'list':
      writer.list((value as readonly unknown[]).length);
      for (const item of value as readonly unknown[]) write(writer, schema.item, item);
      return undefined;
    case 'map': {
      const entries = present(Object.entries(value as object));
      writer.map(entries.length);
      for (const [name, item] of entries) {
        writer.text(name);
        write(writer, schema.value, item);
      }
      return undefined;
    }
    case 'struct': {
      const given = value as Readonly<Record<string, unknown>>;
      const members = Object.entries(schema.members).filter(([name]) => isPresent(given[name]));
      writer.map(members.length);
      for (const [name, member] of members) {
        writer.text(name);
        write(writer, memberSchema(member), given[name]);
      }
      return undefined;
    }
    default:
      return writer.plain(value);
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function present(entries: readonly [string, unknown][]): readonly [string, unknown][] {
  return entries.filter(([, value]) => isPresent(value));
}
