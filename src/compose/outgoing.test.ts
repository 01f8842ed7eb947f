import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedHttp } from '../testing/scripted-http.ts';
import { quietEnvironment } from '../testing/quiet-environment.ts';
import { OutgoingAccess } from './outgoing.ts';

test('the own listeners are asked before and after they listen, the listed servers as long as they are listed', () => {
  const http = new ScriptedHttp(quietEnvironment().clock);
  const asked = ['http://127.0.0.1:4568/', 'http://127.0.0.1:7000/', 'http://10.0.0.1/'];
  const open = (): boolean[] => asked.map((url) => http.problem(url) === undefined);
  const own = { api: 'http://127.0.0.1:4567', gateway: 'http://127.0.0.1:4568' };
  const access = new OutgoingAccess(http, 'start', { allow: ['10.0.0.1'] }, own);
  assert.deepEqual(open(), [true, false, true]);
  access.opened({ api: 'http://127.0.0.1:7000', gateway: 'https://[::1]:7001' });
  assert.deepEqual(open(), [false, true, true]);
  assert.equal(http.problem('https://[::1]:7001/a'), undefined);
  access.reload({});
  assert.deepEqual(open(), [false, true, false]);
  assert.equal(http.problem('${gateway}/a'), undefined);
});
