import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHead } from './request-head.ts';

const HOST = 'Host: h\r\n';

function read(text: string): ReturnType<typeof readHead> {
  return readHead(Buffer.from(text, 'latin1'));
}

test('a usual head', () => {
  const text = `POST /a?b HTTP/1.1\r\n${HOST}Content-Length: 12\r\nX-Empty:\r\nx-tight:v\r\nX-Words: a  b; c\r\n\r\n`;
  assert.deepEqual(read(`${text}body`), {
    method: 'POST',
    target: '/a?b',
    headers: Object.assign(Object.create(null), {
      host: 'h',
      'content-length': '12',
      'x-empty': '',
      'x-tight': 'v',
      'x-words': 'a  b; c',
    }),
    fields: `${HOST}Content-Length: 12\r\nX-Empty:\r\nx-tight:v\r\nX-Words: a  b; c\r\n`,
    contentLength: 12,
    isKept: true,
    length: text.length,
  });
  for (const [connection, isKept] of [
    ['close', false],
    ['Close', false],
    ['Keep-Alive', true],
  ] as const) {
    // prettier-ignore
    const head = read(`GET / HTTP/1.1\r\n${HOST}Connection: ${connection}\r\n\r\n`);
    assert.deepEqual(
      [typeof head === 'object' && head.isKept, typeof head === 'object' && head.contentLength],
      [isKept, 0],
    );
  }
});

test('what is not written as usual is for the platform', () => {
  const heads: readonly string[] = [
    `get / HTTP/1.1\r\n${HOST}\r\n`,
    `TRACE / HTTP/1.1\r\n${HOST}\r\n`,
    `GET  / HTTP/1.1\r\n${HOST}\r\n`,
    `GET * HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://h/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET /# HTTP/1.1\r\n${HOST}\r\n`,
    `GET /\u00e9 HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.0\r\n${HOST}\r\n`,
    `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nx: y\r\n\r\n',
    `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
    `GET / HTTP/1.1\n${HOST}\r\n\r\n`,
    ...[
      'x: y\n', 'x : y\r\n', 'x:  y\r\n', 'x: y \r\n', 'x:\ty\r\n', 'x: y\r\n z\r\n', 'x_y: z\r\n', ': y\r\n', 'x\r\n',
      'x: \u0000\r\n', 'x: \u007f\r\n', 'x: \u00e9\r\n', 'x: y\rz\r\n', 'x: 1\r\nX: 2\r\n', 'Expect: 100-continue\r\n',
      'Transfer-Encoding: chunked\r\n', 'Upgrade: h2c\r\n', 'Connection: upgrade\r\n', 'Connection:\r\n',
      'Connection: keep-alive, close\r\n', 'Proxy-Connection: close\r\n', 'HTTP2-Settings: x\r\n', 'Content-Length:\r\n',
      'Content-Length: 1\r\nContent-Length: 1\r\n', 'Content-Length: 01\r\n', 'Content-Length: +1\r\n', 'Content-Length: 1 1\r\n',
      'Content-Length: 1, 1\r\n', 'Content-Length: 0x1\r\n', 'Content-Length: 1e1\r\n', 'Content-Length: 9007199254740993\r\n',
      `x: ${'v'.repeat(17_000)}\r\n`, Array.from({ length: 200 }, (_, index) => `x-${index}: v\r\n`).join(''),
    ].map((fields) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`),
  ]; // prettier-ignore
  for (const head of heads) assert.equal(read(head), 'unusual', JSON.stringify(head.slice(0, 100)));
});

test('every byte of a target and of a value, alone', () => {
  const usual = (text: string): boolean => typeof read(text) === 'object';
  for (let byte = 0; byte < 256; byte += 1) {
    const one = String.fromCharCode(byte);
    const isVisible = byte > 0x20 && byte < 0x7f;
    assert.equal(usual(`GET /a${one}b HTTP/1.1\r\n${HOST}\r\n`), isVisible && one !== '#', `target ${byte}`);
    assert.equal(usual(`GET / HTTP/1.1\r\n${HOST}x: a${one}b\r\n\r\n`), isVisible || byte === 0x20, `value ${byte}`);
    assert.equal(usual(`GET / HTTP/1.1\r\n${HOST}a${one}b: v\r\n\r\n`), /[a-z\d:-]/i.test(one), `name ${byte}`);
  }
});

test('a head in pieces is waited for as long as it is usual', () => {
  const text = `POST /path?q HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n`;
  // A few letters may yet become anything.
  for (let length = 'POST /'.length; length < text.length; length += 1) {
    assert.equal(read(text.slice(0, length)), 'partial', JSON.stringify(text.slice(0, length)));
  }
  for (const start of [
    '',
    'PO',
    'BREW /',
    'GET /#',
    'GET / HTTQ',
    'GET / HTTP/1.1\n',
    `GET / HTTP/1.1\r\nx : y\r\n`,
    `GET /${'a'.repeat(17_000)}`,
  ]) {
    assert.equal(read(start), 'unusual', start.slice(0, 100));
  }
});
