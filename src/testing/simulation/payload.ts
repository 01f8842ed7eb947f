/**
 * What a record with this text holds: the text, filling up to `bytes`, and a semicolon, so that records put together in
 * an object can be told apart.
 */
export function payload(text: string, bytes: number): string {
  const filling = bytes - text.length - 2;
  if (filling <= 0) return `${text};`;
  return `${text}.${text.repeat(Math.ceil(filling / text.length)).slice(0, filling)};`;
}

/** The text of what `payload` made, with or without its semicolon. */
export function textOf(data: string): string {
  return /^[^.;]*/.exec(data)?.[0] ?? '';
}
