import type * as Driver from 'mongodb';
import { DeliveryError } from '../../kernel/errors.ts';

const MESSAGE_MAX = 300;

/**
 * Codes of single writes that say something of the server rather than of the document: the others would fail alike
 * (public error codes: NotWritablePrimary and its kin, shutdowns, steps down, network, limits).
 */
const OF_THE_SERVER = new Set([
  6, 7, 13, 18, 50, 64, 89, 91, 100, 112, 134, 189, 202, 262, 317, 358, 10_107, 11_600, 11_602, 13_435, 13_436, 14_031,
]);

/** The one document that the server did not take, or undefined where it is not about a document. */
export function refusedWrite(
  { MongoBulkWriteError }: typeof Driver,
  error: unknown,
): { position: number; code: string; message: string } | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  const [first] = failures;
  if (first === undefined || OF_THE_SERVER.has(first.code)) return undefined;
  return { position: first.index, code: `MongoDB.${first.code}`, message: shortened(first.errmsg ?? '') };
}

/** A failure of the connection or of the server, as deliveries know failures; the URI is never told. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const { name = 'Error', message = '', code } = error as { name?: string; message?: string; code?: unknown };
  const word = typeof code === 'number' ? String(code) : name;
  // An authentication that fails, or a missing right, may be given to the user while the delivery waits.
  return new DeliveryError(`MongoDB.${word}`, shortened(withoutPasswords(message)), true, error);
}

function withoutPasswords(text: string): string {
  return text.replaceAll(/(mongodb(?:\+srv)?:\/\/)[^@\s]*@/g, '$1***@');
}

function shortened(text: string): string {
  return text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}...` : text;
}
