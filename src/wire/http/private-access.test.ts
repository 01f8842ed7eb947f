import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopbackHost, refusesCaller } from './private-access.ts';

const ACCESS = { hosts: ['Millrace.Internal'], origins: ['https://console.example'] };

test('which hosts a listener answers to', () => {
  const table: readonly (readonly [listen: string, host: string | undefined, isTaken: boolean])[] = [
    ['127.0.0.1', '127.0.0.1:4567', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', 'localhost:4567', true],
    ['127.0.0.1', 'LOCALHOST', true],
    ['127.0.0.1', '[::1]:4567', true],
    ['127.0.0.1', '127.9.9.9', true],
    ['127.0.0.1', 'kinesis.localhost:4567', true],
    ['127.0.0.1', 'millrace.internal:80', true],
    ['127.0.0.1', undefined, false],
    ['127.0.0.1', '', false],
    ['127.0.0.1', 'evil.example', false],
    ['127.0.0.1', '127.0.0.1.evil.example', false],
    ['127.0.0.1', 'localhost.evil.example', false],
    ['127.0.0.1', 'evillocalhost', false],
    ['127.0.0.1', '127.0.0.1:4567:80', false],
    ['127.0.0.1', '127.0.0.1:', false],
    ['127.0.0.1', 'user@127.0.0.1', false],
    ['127.0.0.1', '10.0.0.7', false],
    ['127.0.0.1', '0.0.0.0', false],
    ['127.0.0.1', '0x7f.1', false],
    ['127.0.0.1', '[::1', false],
    ['::1', '[::1]:4567', true],
    ['::1', 'localhost', true],
    ['10.0.0.7', '10.0.0.7:4567', true],
    ['10.0.0.7', '10.0.0.8', false],
    ['10.0.0.7', 'localhost', false],
    ['0.0.0.0', '10.0.0.7', true],
    ['0.0.0.0', '[fe80::1]:4567', true],
    ['::', '192.168.1.1', true],
    ['0.0.0.0', 'localhost', true],
    ['0.0.0.0', 'evil.example', false],
    ['0.0.0.0', '1.2.3.4.evil.example', false],
  ];
  for (const [listen, host, isTaken] of table) {
    const reason = refusesCaller({ host, origin: undefined }, listen, ACCESS);
    assert.equal(reason === undefined, isTaken, `${listen} asked as ${host}: ${reason}`);
    if (reason !== undefined) assert.match(reason, /add it to server\.hosts$/);
  }
});

test('which pages may call', () => {
  const table: readonly (readonly [origin: string | undefined, host: string, isTaken: boolean])[] = [
    [undefined, 'localhost:4567', true],
    ['https://console.example', 'localhost:4567', true],
    ['http://localhost:4567', 'localhost:4567', true],
    ['HTTP://LocalHost:4567', 'localhost:4567', true],
    ['http://localhost:3000', 'localhost:4567', false],
    ['http://127.0.0.1:4567', 'localhost:4567', false],
    ['http://localhost', 'localhost:4567', false],
    ['https://console.example:8443', 'localhost:4567', false],
    ['https://console.example.evil', 'localhost:4567', false],
    ['http://console.example', 'localhost:4567', false],
    ['null', 'localhost:4567', false],
    ['', 'localhost:4567', false],
    ['http://localhost:4567/', 'localhost:4567', false],
    ['file://localhost:4567', 'localhost:4567', false],
  ];
  for (const [origin, host, isTaken] of table) {
    const reason = refusesCaller({ host, origin }, '127.0.0.1', ACCESS);
    assert.equal(reason === undefined, isTaken, `${origin} to ${host}: ${reason}`);
    if (reason !== undefined) assert.match(reason, /add it to server\.cors$/);
  }
});

test('a foreign host is refused before an origin is looked at', () => {
  const caller = { host: 'evil.example', origin: 'https://console.example' };
  const reason = refusesCaller(caller, '127.0.0.1', ACCESS);
  assert.equal(reason, 'this listener does not answer to the host "evil.example"; add it to server.hosts');
});

test('which addresses stay on this machine', () => {
  const table: readonly (readonly [host: string, stays: boolean])[] = [
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['', false],
    ['128.0.0.1', false],
    ['127.evil.example', false],
    ['1270.0.0.1', false],
  ];
  for (const [host, stays] of table) assert.equal(isLoopbackHost(host), stays, host);
});
