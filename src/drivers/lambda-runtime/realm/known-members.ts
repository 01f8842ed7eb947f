/** Names that platform and tools look for in any object. */
const ASKED_OF_ALL = new Set(['then', 'toJSON', 'constructor', 'inspect', 'nodeType', 'length', 'valueOf', 'toString']);

/**
 * The object, with a clear error where code asks for a member that it does not have: functions were written for a
 * service that had more than is built here, and `undefined is not a function` would not say so.
 */
export function knownMembers<T extends object>(object: T, name: string): T {
  return new Proxy(object, {
    get(target, member) {
      if (typeof member === 'symbol' || member in target || ASKED_OF_ALL.has(member)) {
        const value: unknown = Reflect.get(target, member, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      throw new Error(`${name}.${member} is not built in millrace (docs/guides/realm-functions.md)`);
    },
  });
}
