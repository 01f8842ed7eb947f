import { RequestError } from '../../kernel/errors.ts';

/** The closed list of codes that the routes of sources answer, with the status of each. */
const ingestErrors = { NotFound: 404, NotInFile: 409 } as const;

/** A refusal of an admin route. */
export function ingestError(code: keyof typeof ingestErrors, sentence: string): RequestError {
  return new RequestError(code, sentence, ingestErrors[code]);
}
