/** Requests of the function's own, which it starts and does not wait for. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { endServer, onLoopback } from '../../../testing/loopback.ts';
import { bodyOf, place } from './realm.fixture.ts';

const LATE_MS = 100;
const LARGE = 4 * 1024 * 1024;

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('requests of the function itself', () => {
  let server: Server;
  let url = '';

  before(async () => {
    server = createServer((request, response) => {
      if (request.url === '/large') return response.end('x'.repeat(LARGE));
      if (request.url === '/packed') {
        response.setHeader('content-encoding', 'gzip');
        return response.end(gzipSync(JSON.stringify('x'.repeat(LARGE))));
      }
      response.write('{"a":');
      return setTimeout(() => response.end('1}'), LATE_MS);
    });
    url = await onLoopback(server);
  });
  after(() => endServer(server));

  /** What a webhook answers. */
  async function answered(code: string): Promise<string> {
    const client = `const http = require('http');
      exports.read = (url) => new Promise((resolve, reject) => {
        const read = (response) => {
          const packed = response.headers['content-encoding'] === 'gzip';
          const stream = packed ? require('stream').pipeline([response, require('zlib').createGunzip()], () => {}) : response;
          let text = '';
          stream.on('data', (piece) => (text += piece));
          stream.on('end', () => resolve(JSON.parse(text)));
        };
        http.get(url, read).on('error', reject);
      });`;
    const files = { 'node_modules/client/index.js': client };
    const placed = place(`exports = function (payload, response) { const url = '${url}'; ${code} }`, { files });
    try {
      return bodyOf(await placed.request({}));
    } finally {
      await placed.close();
    }
  }

  const table: readonly (readonly [what: string, code: string, body: string])[] = [
    ['fetch', 'fetch(url).then((answer) => response.setBody(String(answer.status)))', '200'],
    ['what fetch brought', 'fetch(url).then((one) => one.json()).then(({ a }) => response.setBody(String(a)))', '1'],
    ['a package', `require('client').read(url).then(({ a }) => response.setBody(String(a)))`, '1'],
    [
      'one after the other, in an async function',
      `(async () => { await require('client').read(url); const { a } = await (await fetch(url)).json(); response.setBody('b' + a); })()`,
      'b1',
    ],
    [
      'a package that unpacks',
      `require('client').read(url + '/packed').then(({ length }) => response.setBody(String(length)))`,
      String(LARGE),
    ],
    [
      'a failure that is handled',
      `require('client').read('http://127.0.0.1:1').catch(({ code }) => response.setBody(code))`,
      'ECONNREFUSED',
    ],
    [
      'a stream into another that nobody reads',
      `const { PassThrough, pipeline } = require('stream');
       require('http').get(url, (one) => { pipeline(one, new PassThrough(), () => {}); response.setBody('there'); })`,
      'there',
    ],
    ['a status alone', `require('http').get(url + '/large', (one) => response.setBody(String(one.statusCode)))`, '200'],
  ];
  for (const [what, code, body] of table) {
    test(`the answer waits: ${what}`, async () => assert.equal(await answered(code), body));
  }

  test('a request of one call does not hold up another', async () => {
    const placed = place(`exports = ({ isSlow }) => { if (isSlow) fetch('${url}').then((one) => one.text()); }`);
    const order: string[] = [];
    await Promise.all([
      placed.run({ isSlow: true }).then(() => order.push('slow')),
      placed.run({ isSlow: false }).then(() => order.push('quick')),
    ]);
    assert.deepEqual(order, ['quick', 'slow']);
    await placed.close();
  });

  test('a timer is not waited for', async () => {
    const code =
      'const late = setTimeout(() => response.setBody("late"), 2000); setTimeout(() => clearTimeout(late), 50)';
    assert.equal(await answered(code), '');
  });
});
