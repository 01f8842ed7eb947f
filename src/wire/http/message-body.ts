import type { IncomingMessage } from 'node:http';
import type { BodySink, BodySource } from './body.ts';

/** The body of a message that the platform parsed. */
export class MessageBody implements BodySource {
  readonly #message: IncomingMessage;
  readonly #begin: () => void;
  #sink: BodySink | undefined;

  /** `begin` is called before the first byte is read: it lets a sender go on who waits for `100 Continue`. */
  constructor(message: IncomingMessage, begin: () => void) {
    this.#message = message;
    this.#begin = begin;
  }

  get announced(): number | undefined {
    const text = this.#message.headers['content-length'];
    return text === undefined ? undefined : Number(text);
  }

  listen(sink: BodySink): void {
    const message = this.#message;
    if (message.readableAborted || message.destroyed) return sink.cut();
    this.#sink = sink;
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
  readonly #end = (): void => (this.#message.complete ? this.#sink?.end() : this.#sink?.cut());
  readonly #cut = (): void => this.#sink?.cut();
}
