import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { JsonScanner } from '../../kernel/json-scanner.ts';
import type { Clock } from '../../ports/environment.ts';
import { functionsError } from './errors.ts';
import { functionsLimits } from './limits.ts';

/**
 * Fails with RequestError InvalidRequestContentException, in AWS's sentence, for what is no JSON. Of a large event the
 * rest is looked at in turns of its own, and a promise comes back; of any other nothing is to be waited for.
 */
export function checkEvent(event: Uint8Array, clock: Clock): Promise<void> | undefined {
  const scanner = new JsonScanner(event);
  if (scanner.scan(functionsLimits.checkBytes)) return checkRest(scanner, event, clock);
  refuseWrong(scanner, event);
  return undefined;
}

async function checkRest(scanner: JsonScanner, event: Uint8Array, clock: Clock): Promise<void> {
  do await nextTurn(clock);
  while (scanner.scan(functionsLimits.checkBytes));
  refuseWrong(scanner, event);
}

function refuseWrong({ wrongAt }: JsonScanner, event: Uint8Array): void {
  if (wrongAt === undefined) return;
  const why = wrongAt === event.length ? 'Unexpected end' : `Unexpected byte at position ${wrongAt}`;
  throw functionsError('InvalidRequestContentException', `Could not parse request body into json: ${why}`);
}
