/**
 * Bounds what is remembered of why things failed: of many failures each may have words of its own. Words that are kept
 * count once, however many failures have them. Beyond so many characters a failure with words that are not kept gets
 * those of the first one of its code.
 */
export class KeptMessages {
  #charactersLeft: number;
  readonly #first = new Map<string, string>();
  readonly #kept = new Map<string, string>();

  constructor(charactersMax: number) {
    this.#charactersLeft = charactersMax;
  }

  /** The message, or one that is kept already; where there is none, the code. */
  of(code: string, message: string): string {
    const kept = this.#kept.get(message);
    if (kept === undefined && message.length > this.#charactersLeft) return this.#first.get(code) ?? code;
    if (kept === undefined) {
      this.#charactersLeft -= message.length;
      this.#kept.set(message, message);
    }
    const one = kept ?? message;
    if (!this.#first.has(code)) this.#first.set(code, one);
    return one;
  }
}
