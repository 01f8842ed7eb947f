import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { openHttp2 } from './protocols.fixture.ts';
import { serve } from './sockets.fixture.ts';

const COOKIES = ['a=1; Path=/', 'b=2'];

/** Header lines seen by the handler and cookies heard by the client. */
interface Heard {
  readonly cookies: unknown;
  readonly lines: readonly (readonly [string, string])[];
}

async function overHttp1(port: number, more: Record<string, string | string[]>): Promise<Heard> {
  return await new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', headers: { 'X-GitHub-Event': 'push', ...more } }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        const lines = JSON.parse(Buffer.concat(pieces).toString()) as Heard['lines'];
        resolve({ cookies: answer.headers['set-cookie'], lines });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function overHttp2(port: number): Promise<Heard> {
  const session = await openHttp2('h2c', port, '');
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', 'x-github-event': 'push' });
      const pieces: Buffer[] = [];
      let cookies: unknown;
      stream.on('response', (headers) => (cookies = headers['set-cookie']));
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', reject);
      stream.on('end', () => {
        resolve({ cookies, lines: JSON.parse(Buffer.concat(pieces).toString()) as Heard['lines'] });
      });
    });
  } finally {
    session.destroy();
  }
}

test('headers in the sender’s spelling and order, and cookies that stay apart, in every protocol', async (context) => {
  const { listener } = await serve(context, {
    handler: async (asked) => ({ status: 200, headers: {}, cookies: COOKIES, body: JSON.stringify(asked.headerList()) }),
  });
  const { port } = listener;
  // A repeated header is for the platform's parser.
  for (const more of [{ 'X-One': 'a' }, { 'X-Two': ['a', 'b'] }]) {
    const { cookies, lines } = await overHttp1(port, more);
    assert.deepEqual(cookies, COOKIES);
    const [name, value] = Object.entries(more)[0] as [string, string | string[]];
    assert.deepEqual(lines.slice(0, 1), [['X-GitHub-Event', 'push']]);
    assert.deepEqual(lines.filter(([one]) => one === name).map(([, one]) => one), [value].flat());
    assert.ok(lines.some(([one]) => one.toLowerCase() === 'host'));
  }
  const { cookies, lines } = await overHttp2(port);
  assert.deepEqual(cookies, COOKIES);
  assert.deepEqual(lines, [['host', `localhost:${port}`], ['x-github-event', 'push']]);
}); // prettier-ignore
