import { aggregate } from './aggregate.ts';
import { create, drop, dropDatabase } from './collections.ts';
import type { Command } from './command.ts';
import { getMore, killCursors } from './cursor-commands.ts';
import { count, distinct, find } from './find.ts';
import { buildInfo, endSessions, hello, isMaster, ping } from './hello.ts';
import { findAndModify, insert, remove, update } from './writes.ts';

const configureFailPoint: Command = {
  fields: ['mode', 'data'],
  run({ state, body }) {
    state.failPoints.configure(body);
    return {};
  },
};

/** All commands by their names; any other is CommandNotFound. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  aggregate,
  buildInfo,
  buildinfo: buildInfo,
  configureFailPoint,
  count,
  create,
  delete: remove,
  distinct,
  drop,
  dropDatabase,
  endSessions,
  find,
  findAndModify,
  getMore,
  hello,
  insert,
  isMaster,
  ismaster: isMaster,
  killCursors,
  ping,
  update,
};
