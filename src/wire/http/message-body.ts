import type { Readable } from 'node:stream';
import type { BodySink, BodySource } from './body.ts';

/** The body of a message that the platform parsed. */
export class MessageBody implements BodySource {
  readonly announced: number | undefined;
  readonly #message: Readable;
  readonly #isComplete: () => boolean;
  readonly #begin: () => void;
  #sink: BodySink | undefined;

  /**
   * `isComplete` tells at its end whether all came. `begin` is called before the first byte is read: it lets a sender
   * go on who waits for `100 Continue`.
   */
  constructor(
    message: Readable,
    headers: Readonly<Record<string, string>>,
    isComplete: () => boolean,
    begin: () => void,
  ) {
    const { 'content-length': length } = headers;
    this.announced = length === undefined ? undefined : Number(length);
    this.#message = message;
    this.#isComplete = isComplete;
    this.#begin = begin;
  }

  listen(sink: BodySink): void {
    const message = this.#message;
    if (message.readableAborted || message.destroyed) return sink.cut();
    this.#sink = sink;
    // An empty body of HTTP/2 may have come to its end before anybody asked.
    if (message.readableEnded) return this.#end();
    message.on('data', this.#take);
    message.once('end', this.#end);
    message.once('aborted', this.#cut);
    // A later error of the connection must find a listener: this one stays.
    message.once('error', this.#cut);
    message.once('close', this.#cut);
    this.#begin();
  }

  pause(): void {
    this.#message.pause();
  }

  resume(): void {
    this.#message.resume();
  }

  leave(): void {
    const message = this.#message;
    this.#sink = undefined;
    message.off('data', this.#take);
    message.off('end', this.#end);
    message.off('aborted', this.#cut);
    message.off('close', this.#cut);
    message.pause();
  }

  readonly #take = (chunk: Buffer): void => this.#sink?.take(chunk);
  readonly #end = (): void => (this.#isComplete() ? this.#sink?.end() : this.#sink?.cut());
  readonly #cut = (): void => this.#sink?.cut();
}
