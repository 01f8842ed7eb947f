import { hashKeyOf } from '../../kernel/stream/hash-key.ts';
import { promised } from './broken-promise.ts';
import { BucketModel } from './bucket-model.ts';
import { DestinationModel } from './destination-model.ts';
import type { Sent } from './sent-record.ts';
import type { StreamModel } from './stream-model.ts';

/** AWS's words for what a function makes of a record. */
export type Shape = 'Ok' | 'Dropped' | 'ProcessingFailed';

const SHAPES: readonly Shape[] = ['Ok', 'Ok', 'Ok', 'Dropped', 'ProcessingFailed'];

/** What the function makes of a record with this text, however often it is asked. */
export function shapeOf(text: string): Shape {
  return SHAPES[Number(hashKeyOf(text) % BigInt(SHAPES.length))] as Shape;
}

/** What it makes of the data of one. */
export function shaped(data: string): string {
  return `${data.slice(0, -1)}.shaped;`;
}

/**
 * What a delivery leaves behind whose records a function processes: of each the object that it made, or a line, or
 * nothing where it dropped the record.
 */
export class ShapingModel {
  readonly #objects: BucketModel;
  readonly #lines: DestinationModel;
  /** Records of which a call said what became of them, and those of a call that did not. */
  readonly #answered = new Set<Sent>();
  readonly #unanswered = new Set<Sent>();

  constructor(stream: StreamModel) {
    this.#objects = new BucketModel(stream, shaped);
    this.#lines = new DestinationModel(stream);
  }

  /** Records that the function said something of. */
  get answered(): number {
    return this.#answered.size;
  }

  /** A call came with a record. Raises BrokenPromise. */
  gets(data: string): Sent {
    return this.#lines.knows(data);
  }

  answers(sent: Sent): void {
    this.#answered.add(sent);
  }

  /** A call failed, or left the record out. */
  fails(sent: Sent): void {
    this.#unanswered.add(sent);
  }

  /** Takes in all objects and lines that stand there now; `owed` is known to be stored. Raises BrokenPromise. */
  holds(
    { objects, lines }: Readonly<Record<'objects' | 'lines', ReadonlyMap<string, Uint8Array>>>,
    owed: readonly Sent[],
  ): void {
    const made = this.#objects.holds(objects);
    for (const [path, bytes] of lines) this.#lines.holdsLines(path, Buffer.from(bytes).toString());
    for (const sent of made) promised(shapeOf(sent.text) === 'Ok', `${sent.text} was not to be delivered, and was`);
    for (const sent of owed) this.#checkFate(sent, made.has(sent));
  }

  #checkFate(sent: Sent, isMade: boolean): void {
    const shape = shapeOf(sent.text);
    const hasLine = this.#lines.hasLine(sent);
    const mayFail = shape === 'ProcessingFailed' || this.#unanswered.has(sent);
    promised(!hasLine || mayFail, `${sent.text} has a line, and no call failed with it`);
    promised(!hasLine || !isMade || sent.mayRepeat || sent.mayMove, `${sent.text} was delivered, and has a line`);
    const isGone = shape === 'Dropped' && this.#answered.has(sent);
    promised(isMade || hasLine || isGone, `${sent.text} was stored, and neither processed nor told of`);
  }
}
