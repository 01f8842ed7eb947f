/** One dispatched event of an event stream. */
export interface SseEvent {
  /** `message` when the stream names none. */
  readonly type: string;
  /** The `data` lines joined by LF, as sent; bytes of the chunk they came in, where they came in one. */
  readonly data: Uint8Array;
  /** The `id` field of this very event; absent: it had none. */
  readonly id?: string;
}

/** What one chunk brought. */
export interface SseChunk {
  readonly events: readonly SseEvent[];
  /** Events that were larger than allowed, and are left out. */
  readonly tooLarge: number;
}
