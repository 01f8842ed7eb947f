/** Headers of a request, lower-case names. */
export type Headers = Readonly<Record<string, string>>;

/** How senders of one kind prove themselves and name their deliveries. */
export interface Verifier {
  /** The kind's word in the config file. */
  readonly kind: string;
  /** Whether a request without a body could still verify; false refuses it before its body is read. */
  mayVerify(headers: Headers): boolean;
  /** Whether the body as sent is the sender's; `nowMs` decides which secrets are active. */
  verify(body: Uint8Array, headers: Headers, nowMs: number): boolean;
  /** The sender's id of the delivery, the same when it sends again; undefined when there is none. */
  deliveryId(headers: Headers): string | undefined;
}
