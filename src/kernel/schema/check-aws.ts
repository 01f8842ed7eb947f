import { openArena } from '../bytes/base64.ts';
import { Defect, RequestError } from '../errors.ts';
import { compileFits } from './aws-fits.ts';
import { compileDecode, type AwsForm } from './aws-types.ts';
import { awsViolations } from './aws-violations.ts';
import type { Schema, Static } from './declare.ts';

/**
 * Checks one parsed request and returns it decoded: blobs as bytes, timestamps in ms, unknown members dropped, null
 * as absent. Raises RequestError `SerializationException` at the first wrong type, else `ValidationException` with
 * all violations. `bodyBytes` is the size of the request's body, a hint that makes many blobs cheap.
 */
export type AwsCheck<S extends Schema> = (value: unknown, bodyBytes?: number) => Static<S>;

/** Compiles the check of a shape, for values of one form; worth keeping, as it costs more than a check. */
export function compileAwsCheck<S extends Schema>(schema: S, form: AwsForm = 'text'): AwsCheck<S> {
  const decode = compileDecode(schema, form);
  const fits = compileFits(schema);
  return (value, bodyBytes = 0) => {
    // AWS names no reason when a body is no structure at all.
    if (schema.kind === 'struct' && (typeof value !== 'object' || value === null)) {
      throw new RequestError('SerializationException', '');
    }
    const decoded = decode(value, form === 'text' ? openArena(bodyBytes) : undefined);
    if (fits === undefined || fits(decoded)) return decoded as Static<S>;
    throw violation(awsViolations(schema, decoded));
  };
}

function violation(found: readonly string[]): Error {
  if (found.length === 0) return new Defect('a value that does not fit violates nothing');
  const errors = found.length === 1 ? '1 validation error detected' : `${found.length} validation errors detected`;
  return new RequestError('ValidationException', `${errors}: ${found.join('; ')}`);
}

const checks = new WeakMap<Schema, AwsCheck<Schema>>();

/** Checks one value against a shape as AWS does; compiles the shape at its first use. */
export function checkAws<S extends Schema>(schema: S, value: unknown): Static<S> {
  let check = checks.get(schema);
  if (check === undefined) {
    check = compileAwsCheck<Schema>(schema);
    checks.set(schema, check);
  }
  return check(value) as Static<S>;
}
