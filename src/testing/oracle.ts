import { Defect } from '../kernel/errors.ts';

/** Where a client was told that its record stands. */
export interface ToldPosition {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/** A record as it was read back. */
export interface ReadRecord extends ToldPosition {
  readonly text: string;
}

/** Raised when the node broke a promise. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

type Fate = 'trying' | 'refused' | ToldPosition;

/**
 * What clients were told over all lives of a node, and what therefore must be: acknowledged records stand once, where
 * it was said; refused ones stand nowhere; those without an answer stand at most once.
 */
export class Oracle {
  readonly #fates = new Map<string, Fate>();
  /** Texts of each writer in the order in which they were acknowledged or tried. */
  readonly #ids = new Map<string, { readonly text: string; answer: ToldPosition | undefined }>();

  get acknowledged(): number {
    return [...this.#fates.values()].filter((fate) => typeof fate === 'object').length;
  }

  /** Acknowledged texts so far, of those that `mine` picks. */
  texts(mine: (text: string) => boolean): readonly string[] {
    return [...this.#fates].flatMap(([text, fate]) => (typeof fate === 'object' && mine(text) ? [text] : []));
  }

  /** A record is about to be sent. */
  tries(text: string): void {
    if (this.#fates.has(text)) throw new Defect(`${text} was tried before`);
    this.#fates.set(text, 'trying');
  }

  /** The answer said that it is not stored. */
  refuses(text: string): void {
    if (this.#fates.get(text) !== 'trying') throw new BrokenPromise(`${text} was acknowledged, then refused`);
    this.#fates.set(text, 'refused');
  }

  acknowledges(text: string, position: ToldPosition): void {
    const fate = this.#fates.get(text);
    if (fate === undefined) throw new BrokenPromise(`${text} was acknowledged and never sent`);
    const isSame = typeof fate !== 'object' || fate.sequenceNumber === position.sequenceNumber;
    if (!isSame) throw new BrokenPromise(`${text} was acknowledged at two places`);
    this.#fates.set(text, position);
  }

  /** Records of one stream, shard by shard in order, against what was told of those that `mine` picks. */
  checkStream(records: readonly ReadRecord[], mine: (text: string) => boolean): void {
    const seen = new Set<string>();
    const last = new Map<string, string>();
    for (const { text, shardId, sequenceNumber } of records) {
      const fate = this.#fates.get(text);
      if (fate === undefined) throw new BrokenPromise(`nobody sent ${text}`);
      if (fate === 'refused') throw new BrokenPromise(`${text} was refused and stands in the stream`);
      if (seen.has(text)) throw new BrokenPromise(`${text} stands twice`);
      seen.add(text);
      if ((last.get(shardId) ?? '') >= sequenceNumber) throw new BrokenPromise(`${sequenceNumber} does not grow`);
      last.set(shardId, sequenceNumber);
      if (typeof fate === 'object' && (fate.shardId !== shardId || fate.sequenceNumber !== sequenceNumber)) {
        throw new BrokenPromise(`${text} stands elsewhere than was said`);
      }
    }
    this.#checkAllThere(seen, mine, 'the stream');
    checkWriterOrder(records);
  }

  /** Texts found in all objects of a bucket: as the stream, but without places. */
  checkObjects(texts: readonly string[], mine: (text: string) => boolean): void {
    const seen = new Set<string>();
    for (const text of texts) {
      const fate = this.#fates.get(text);
      if (fate === undefined || fate === 'refused') throw new BrokenPromise(`${text} was delivered and never stored`);
      if (seen.has(text)) throw new BrokenPromise(`${text} was delivered twice`);
      seen.add(text);
    }
    this.#checkAllThere(seen, mine, 'the objects');
  }

  /** The text that goes with a delivery id: the same at every repeat. */
  textOf(id: string, text: string): string {
    const known = this.#ids.get(id);
    if (known !== undefined) return known.text;
    this.#ids.set(id, { text, answer: undefined });
    this.tries(text);
    return text;
  }

  /** One id has one answer, for ever. */
  answers(id: string, position: ToldPosition): void {
    const known = this.#ids.get(id);
    if (known === undefined) throw new Defect(`${id} was never posted`);
    if (known.answer !== undefined && known.answer.sequenceNumber !== position.sequenceNumber) {
      throw new BrokenPromise(`the id ${id} got a second answer`);
    }
    known.answer = position;
    this.acknowledges(known.text, position);
  }

  /** Ids posted so far. */
  get ids(): readonly string[] {
    return [...this.#ids.keys()];
  }

  #checkAllThere(seen: ReadonlySet<string>, mine: (text: string) => boolean, where: string): void {
    for (const [text, fate] of this.#fates) {
      if (typeof fate === 'object' && mine(text) && !seen.has(text)) {
        throw new BrokenPromise(`${text} was acknowledged and is missing in ${where}`);
      }
    }
  }
}

/** `writer/number` of one writer stands in the order of its numbers inside each shard. */
function checkWriterOrder(records: readonly ReadRecord[]): void {
  const last = new Map<string, number>();
  for (const { text, shardId } of records) {
    const [, writer, number] = /^(put:[^/]+)\/(\d+)$/.exec(text) ?? [];
    if (writer === undefined) continue;
    const key = `${writer} ${shardId}`;
    if ((last.get(key) ?? -1) > Number(number)) throw new BrokenPromise(`${text} stands behind a later one`);
    last.set(key, Number(number));
  }
}
