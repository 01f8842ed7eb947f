import { PeerError } from '../errors.ts';
import { collectionOf, type Command } from './command.ts';

/** An empty collection; NamespaceExists when it is there. */
export const create: Command = {
  fields: [],
  run(call) {
    const name = collectionOf(call, 'create');
    if (call.state.store.has(call.database, name)) {
      throw new PeerError('NamespaceExists', `Collection ${call.database}.${name} already exists.`);
    }
    call.state.store.create(call.database, name);
    return {};
  },
};

/** A collection goes, and with it the streams that watch it; one that is not there is fine, as for servers of 7.0. */
export const drop: Command = {
  fields: [],
  run(call) {
    const name = collectionOf(call, 'drop');
    return call.state.store.drop(call.database, name) ? { ns: `${call.database}.${name}` } : {};
  },
};

/** All collections of a database go. */
export const dropDatabase: Command = {
  fields: [],
  run({ state, database }) {
    state.store.dropDatabase(database);
    return { dropped: database };
  },
};
