import { PeerError } from './errors.ts';
import { isDocument } from './values.ts';

/** What a token stands behind: nothing but a time, an event, or the end of a stream. */
export type TokenKind = 'time' | 'event' | 'invalidate';

/** A place in the log of changes. */
export interface ResumeToken {
  readonly time: bigint;
  readonly kind: TokenKind;
}

const KINDS: readonly TokenKind[] = ['time', 'event', 'invalidate'];
const TOKEN = /^[0-9A-F]{16}0[0-2]$/;

/** The token as clients get it: hex text that sorts as the places do, and means nothing to anyone else. */
export function writeToken({ time, kind }: ResumeToken): { readonly _data: string } {
  return { _data: `${time.toString(16).toUpperCase().padStart(16, '0')}0${KINDS.indexOf(kind)}` };
}

/** The place a client's token stands for; InvalidResumeToken when it is none of this peer's. */
export function readToken(value: unknown): ResumeToken {
  const data: unknown = isDocument(value) ? value['_data'] : undefined;
  if (typeof data !== 'string' || !TOKEN.test(data)) {
    throw new PeerError('InvalidResumeToken', 'Bad resume token: _data is missing, or not of this peer');
  }
  return { time: BigInt(`0x${data.slice(0, 16)}`), kind: KINDS[Number(data[17])] ?? 'time' };
}
