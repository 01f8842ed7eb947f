/** Where a record stands. */
export interface Place {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/**
 * What is known of a record: `trying` while there was no answer, `refused` when it is known not to be stored, `gone`
 * when it was looked for after its process had ended and was not there.
 */
export type Fate = 'trying' | 'refused' | 'gone' | Place;

/** What a client says of a record as it sends it. */
export interface Sending {
  readonly text: string;
  readonly bytes: number;
  readonly hashKey: bigint;
  /** Records of one sender stand in the order in which they were sent; undefined: sent again and again. */
  readonly sender: string | undefined;
  /** Number of the life it is sent in. */
  readonly life: number;
}

/** A record that a client sent. */
export interface Sent extends Sending {
  /** Its number among all that were sent. */
  readonly order: number;
  /** When it was sent first, in virtual ms. */
  readonly sentAt: number;
  /** By shard, what was known to stand there when it was sent: it can only stand behind. */
  readonly floor: ReadonlyMap<string, string>;
  /** Number of the life it was sent in last. */
  triedIn: number;
  /** It was sent again when its time may have been over: it may be stored anew. */
  mayMove: boolean;
  fate: Fate;
  /** When it was first known to stand, in virtual ms. */
  knownAt: number;
  /** When it was read last, in virtual ms. */
  foundAt: number;
  /** Its arrival time, in ms since the Unix epoch, once it was read. */
  arrivedAt: number | undefined;
  /** Its place could not be read after a bit was turned somewhere: it may be lost. */
  isDamaged: boolean;
  /** It was read, and later found no more, as its time was over. */
  isExpired: boolean;
  /** It was delivered, so it stands, wherever that is. */
  isDelivered: boolean;
  /** A power cut may have taken the note that it was delivered: it may be delivered again. */
  mayRepeat: boolean;
  /** It was known to stand, and a power cut may have taken it: where, and what of the time. */
  doubt: Doubt | undefined;
}

/** What was known of a record that a power cut may have taken; times in virtual ms. */
export interface Doubt {
  readonly place: Place;
  readonly knownAt: number;
  readonly cutAt: number;
}
