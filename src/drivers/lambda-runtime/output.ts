import { StringDecoder } from 'node:string_decoder';
import { runtimeLimits } from './limits.ts';

type Line = (text: string) => void;

/**
 * What one process prints, in lines, for the run that is under way. Between two runs lines are kept for the next one.
 * Of each run a bounded part is kept; the rest is counted without being looked at, and told in one line.
 */
export class Output {
  readonly #streams: readonly LineReader[];
  #kept: string[] = [];
  #line: Line | undefined;
  #bytes = 0;
  #dropped = 0;

  constructor() {
    this.#streams = [new LineReader((text) => this.#take(text)), new LineReader((text) => this.#take(text))];
  }

  /** From now on lines belong to this run. */
  begin(line: Line | undefined): void {
    this.#line = line ?? (() => undefined);
    this.#bytes = 0;
    this.#dropped = 0;
    const kept = this.#kept;
    this.#kept = [];
    for (const text of kept) this.#take(text);
  }

  /** The run is over: also of its unfinished lines. */
  end(): void {
    for (const stream of this.#streams) stream.flush();
    if (this.#dropped > 0) this.#line?.(`[${this.#dropped} bytes of output were dropped]`);
    this.#line = undefined;
    this.#bytes = 0;
    this.#dropped = 0;
  }

  /** Bytes of stdout (0) or stderr (1). */
  add(stream: 0 | 1, bytes: Buffer): void {
    // Past the bound nothing is decoded: who prints a gigabyte pays for it alone.
    if (this.#bytes >= runtimeLimits.outputBytesMax) this.#dropped += bytes.length;
    else this.#streams[stream]?.add(bytes);
  }

  #take(text: string): void {
    const size = Buffer.byteLength(text) + 1;
    if (this.#bytes + size > runtimeLimits.outputBytesMax) {
      this.#bytes = runtimeLimits.outputBytesMax;
      this.#dropped += size;
      return;
    }
    this.#bytes += size;
    if (this.#line === undefined) this.#kept.push(text);
    else this.#line(text);
  }
}

/** Whole lines out of pieces; a longer one than the bound is several. */
class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #line: Line;
  #rest = '';

  constructor(line: Line) {
    this.#line = line;
  }

  add(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const text of lines) this.#cut(text.endsWith('\r') ? text.slice(0, -1) : text);
    if (this.#rest.length >= runtimeLimits.lineBytesMax) this.flush();
  }

  flush(): void {
    const rest = this.#rest;
    this.#rest = '';
    if (rest !== '') this.#cut(rest);
  }

  #cut(text: string): void {
    if (text.length <= runtimeLimits.lineBytesMax) return this.#line(text);
    for (let at = 0; at < text.length; at += runtimeLimits.lineBytesMax) {
      this.#line(text.slice(at, at + runtimeLimits.lineBytesMax));
    }
  }
}
