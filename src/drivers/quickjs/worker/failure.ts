import type { ScriptFailure, ScriptFailureKind } from '../../../ports/script.ts';

/** A failure as the guest tells it; the stack is the engine's, or what the script made of it. */
export interface GuestFailure {
  readonly kind: ScriptFailureKind;
  readonly message: string;
  readonly stack: string;
}

const MESSAGE_CHARACTERS_MAX = 1000;
/** The innermost place in the script. */
const PLACE = /\bscript\.js:(\d{1,7})(?::(\d{1,7}))?/;

/** The failure with its place in the user's file, whose first line is the second of what was compiled. */
export function readFailure({ kind, message, stack }: GuestFailure): ScriptFailure {
  const [, line, column] = PLACE.exec(stack) ?? [];
  const oneLine = message.replace(/\s+/g, ' ').slice(0, MESSAGE_CHARACTERS_MAX);
  if (line === undefined || Number(line) < 2) return { kind, message: oneLine };
  const place = { line: Number(line) - 1, ...(column !== undefined && { column: Number(column) }) };
  return { kind, message: oneLine, ...place };
}
