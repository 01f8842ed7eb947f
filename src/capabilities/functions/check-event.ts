import { functionsError } from './errors.ts';
import { functionsLimits } from './limits.ts';

/** Throws RequestError InvalidRequestContentException, in AWS's sentence, for what is no JSON. */
export function checkEvent(event: Uint8Array): void {
  try {
    JSON.parse(Buffer.from(event.buffer, event.byteOffset, event.byteLength).toString());
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, functionsLimits.messageCharactersMax) : '';
    throw functionsError('InvalidRequestContentException', `Could not parse request body into json: ${why}`);
  }
}
