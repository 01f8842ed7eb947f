/**
 * Bounds what is remembered of why things failed: of many failures each may have words of its own. Beyond so many
 * characters a failure gets the words of the first one of its code.
 */
export class KeptMessages {
  #charactersLeft: number;
  readonly #first = new Map<string, string>();

  constructor(charactersMax: number) {
    this.#charactersLeft = charactersMax;
  }

  /** The message, or one that is kept already; where there is none, the code. */
  of(code: string, message: string): string {
    const first = this.#first.get(code);
    if (message === first) return first;
    if (message.length > this.#charactersLeft) return first ?? code;
    this.#charactersLeft -= message.length;
    if (first === undefined) this.#first.set(code, message);
    return message;
  }
}
