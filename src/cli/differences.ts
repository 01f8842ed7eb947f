import { canonicalJson, type Json } from '../kernel/json.ts';

/** Where two JSON values differ, a line for each place: `telemetry.temperature: expected 22, got "22"`. */
export function differences(expected: Json, got: Json): readonly string[] {
  return [...walk(expected, got, '')];
}

function* walk(expected: Json | undefined, got: Json | undefined, path: string): Generator<string> {
  if (isStruct(expected) && isStruct(got)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(got)]);
    for (const name of names) yield* walk(own(expected, name), own(got, name), path === '' ? name : `${path}.${name}`);
  } else if (shown(expected) !== shown(got)) {
    yield `${path === '' ? 'the result' : path}: expected ${shown(expected)}, got ${shown(got)}`;
  }
}

type Struct = { readonly [name: string]: Json };

function isStruct(value: Json | undefined): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(struct: Struct, name: string): Json | undefined {
  return Object.hasOwn(struct, name) ? struct[name] : undefined;
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'nothing' : canonicalJson(value);
}
