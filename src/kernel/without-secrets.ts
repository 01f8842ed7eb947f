const MASK = '***';
/** A header that somebody quotes, in JSON or as text, up to its end. */
const AUTHORIZATION = /(authorization["'\\]{0,4}\s{0,4}[:=]\s{0,4}[["'\\]{0,8})[^"'\\\r\n\]}]+/gi;

/** What others said, without these secrets (as they are, and as they stand in JSON) and without `Authorization`. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  const forms = [...secrets].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  // The longest first: one can be a part of another.
  const ordered = forms.filter((form) => form !== '').sort((one, other) => other.length - one.length);
  const clean = ordered.reduce((left, form) => left.replaceAll(form, MASK), text);
  return clean.replaceAll(AUTHORIZATION, `$1${MASK}`);
}
