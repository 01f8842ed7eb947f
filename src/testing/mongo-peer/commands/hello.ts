import { Int32, type Document } from 'bson';
import { MESSAGE_BYTES_MAX } from '../message.ts';
import type { Call, Command } from './command.ts';

/** What servers of version 7.0 speak. */
const WIRE_VERSION = 21;
/** The set's name in connection strings: `replicaSet=millrace`. */
export const SET_NAME = 'millrace';

/** The primary and only member of a replica set: drivers watch and retry only where there is one. */
export const hello: Command = {
  // Drivers tell of themselves in members that are new with every version.
  run: (call) => ({ isWritablePrimary: true, ...member(call) }),
};

/** The same under its old name. */
export const isMaster: Command = { ...hello, run: (call) => ({ ismaster: true, ...member(call) }) };

/** Answers that it is there. */
export const ping: Command = { fields: [], run: () => ({}) };

/** Which server's protocol this is; no server of that version stands behind it. */
export const buildInfo: Command = {
  fields: [],
  run: () => ({
    version: '7.0.0',
    versionArray: [7, 0, 0, 0].map((part) => new Int32(part)),
    gitVersion: 'millrace test peer, not a database',
    modules: [],
    maxBsonObjectSize: new Int32(16 * 1024 * 1024),
  }),
};

/** Sessions hold nothing here that would have to be given back. */
export const endSessions: Command = { fields: [], run: () => ({}) };

function member({ state, connectionId }: Call): Document {
  const { address } = state;
  return {
    helloOk: true,
    setName: SET_NAME,
    setVersion: new Int32(1),
    secondary: false,
    hosts: [address],
    primary: address,
    me: address,
    maxBsonObjectSize: new Int32(16 * 1024 * 1024),
    maxMessageSizeBytes: new Int32(MESSAGE_BYTES_MAX),
    maxWriteBatchSize: new Int32(100_000),
    localTime: new Date(state.now()),
    logicalSessionTimeoutMinutes: new Int32(30),
    connectionId: new Int32(connectionId),
    minWireVersion: new Int32(0),
    maxWireVersion: new Int32(WIRE_VERSION),
    readOnly: false,
  };
}
