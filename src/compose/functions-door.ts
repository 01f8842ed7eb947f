import { RequestError } from '../kernel/errors.ts';
import type { Functions } from '../ports/functions.ts';

/** The door to the users' handlers, open before the capability that runs them: until it has started there are none. */
export function functionsOf(find: () => Functions | undefined): Functions {
  return {
    has: (name) => find()?.has(name) ?? false,
    async invoke(name, event, options) {
      const functions = find();
      if (functions === undefined)
        throw new RequestError('ResourceNotFoundException', `Function not found: ${name}`, 404);
      return await functions.invoke(name, event, options);
    },
  };
}
