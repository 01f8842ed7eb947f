import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRoutePath, type RoutePath } from './route-path.ts';
import { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';

function pathOf(text: string): RoutePath {
  const path = readRoutePath(text);
  if (typeof path === 'string') throw new Error(path);
  return path;
}

function tableOf(...keys: readonly string[]): RouteTable {
  return new RouteTable(
    keys.map((key) => {
      const [method = '', text = ''] = key.split(' ');
      // Only what the table looks at.
      return { key, method, path: pathOf(text) } as Route;
    }),
  );
}

test("the most specific path that has the method, and its own method before ANY, as API Gateway's example has it", () => {
  const table = tableOf(
    'ANY /{proxy+}',
    'GET /pets/{proxy+}',
    'GET /pets/dog/{id}',
    'ANY /pets/dog/1',
    'GET /pets/dog/1',
    'GET /a/{x}/c',
    'GET /a/b/{y}',
  );
  const rows: readonly (readonly [request: string, key: string | undefined, parameters?: object])[] = [
    ['GET /pets/dog/1', 'GET /pets/dog/1', {}],
    ['PUT /pets/dog/1', 'ANY /pets/dog/1', {}],
    ['GET /pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['POST /pets/dog/2', 'ANY /{proxy+}', { proxy: 'pets/dog/2' }],
    ['GET /pets/cat/1/x', 'GET /pets/{proxy+}', { proxy: 'cat/1/x' }],
    ['GET /pets', 'ANY /{proxy+}', { proxy: 'pets' }],
    ['GET /a/b/c', 'GET /a/b/{y}', { y: 'c' }],
    ['GET /a/z/c', 'GET /a/{x}/c', { x: 'z' }],
    ['GET /', undefined],
    ['GET /%zz', undefined],
    ['GET /pets/dog/a%2Fb%20c', 'GET /pets/dog/{id}', { id: 'a/b c' }],
  ];
  for (const [request, key, parameters] of rows) {
    const [method = '', path = ''] = request.split(' ');
    const match = table.find(method, path);
    assert.equal(match?.route.key, key, request);
    assert.deepEqual(match?.parameters, parameters, request);
  }
});

test('a route by its key in the file, which names no path', () => {
  const table = tableOf('GET /a', 'ANY /{x}');
  assert.equal(table.named('ANY /{x}')?.path.text, '/{x}');
  assert.equal(table.named('GET /b'), undefined);
});

test('methods of a path', () => {
  const table = tableOf('GET /a', 'POST /a', 'PUT /{x}');
  assert.deepEqual(table.methods('/a'), ['GET', 'POST', 'PUT']);
  assert.deepEqual(table.methods('/b'), ['PUT']);
  assert.deepEqual(table.methods('/a/'), []);
});

test('what is no path of a route', () => {
  for (const text of ['/a?b', '/a#b', '/a{b}', '/{a}b', '/{a}/{a}', '/{a+}/b', '/{}', '/{a']) {
    assert.equal(typeof readRoutePath(text), 'string', text);
  }
});
