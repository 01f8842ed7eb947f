import { EnvironmentError, RequestError, ThrottleError } from '../../kernel/errors.ts';
import { Unavailable } from '../../ports/stream-store.ts';

/** What a client makes of an answer: done; refused, so that nothing was changed; or nobody knows. */
export type Outcome =
  | { readonly kind: 'done'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown' };

/** Waits for an answer. Rejects with what is neither an answer nor a refusal: a defect of the node. */
export async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: 'done', answer: await work };
  } catch (error) {
    if (error instanceof RequestError) {
      return error.status < 500 ? { kind: 'refused', code: error.code } : { kind: 'unknown' };
    }
    if (error instanceof ThrottleError) return { kind: 'refused', code: error.code };
    if (error instanceof EnvironmentError || error instanceof Unavailable) return { kind: 'unknown' };
    throw error;
  }
}
