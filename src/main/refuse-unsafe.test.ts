import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidConfig } from '../config/index.ts';
import { refuseUnsafe, type RunningAs } from './refuse-unsafe.ts';

const KEYS = { credentials: [{ accessKeyId: 'a', secretAccessKey: 'b' }] };
const NONE = { segmentLog: { sync: 'none' } };
const SYNC = /^engine\.segmentLog\.sync: none may lose/;
const OPEN = /^server\.credentials: missing, and 0\.0\.0\.0 is not a loopback address/;

test('what only --unsafe allows', () => {
  const table: readonly (readonly [server: object, engine: object, running: Partial<RunningAs>, refused?: RegExp])[] = [
    [{}, {}, {}],
    [{}, {}, { mode: 'dev' }],
    [{}, NONE, {}, SYNC],
    [{}, NONE, { mode: 'dev' }],
    [{}, NONE, { unsafe: true }],
    [{}, NONE, { sync: 'always' }],
    [{}, {}, { sync: 'none' }, SYNC],
    [{}, {}, { api: { host: '0.0.0.0' } }, OPEN],
    [{}, {}, { api: { host: '0.0.0.0' }, mode: 'dev' }, OPEN],
    [{}, {}, { api: { host: '0.0.0.0' }, unsafe: true }],
    [KEYS, {}, { api: { host: '0.0.0.0' } }],
    [KEYS, {}, { api: { host: '0.0.0.0' }, mode: 'dev' }],
    [{}, {}, { api: { host: '::1' } }],
    [{}, {}, { api: { host: 'localhost' } }],
  ];
  for (const [server, engine, running, refused] of table) {
    const config = { server, engine };
    const check = (): void => refuseUnsafe(config, { mode: 'start', api: { host: '127.0.0.1' }, ...running });
    if (refused === undefined) check();
    else assert.throws(check, (error) => error instanceof InvalidConfig && refused.test(error.message));
  }
});
