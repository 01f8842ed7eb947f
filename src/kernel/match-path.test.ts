import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchPath } from './match-path.ts';

test('which paths fit a pattern, and what their parts are', () => {
  const table: readonly (readonly [pattern: string, path: string, parts: object | undefined])[] = [
    ['/a/{name}', '/a/b', { name: 'b' }],
    ['/a/{name}', '/a/b%2Fc', { name: 'b/c' }],
    ['/a/{name}', '/a/b/c', undefined],
    ['/a/{name}', '/a/', undefined],
    ['/a/{name}', '/a/%', undefined],
    ['/a/{name}/x', '/a/b/x', { name: 'b' }],
    ['/a/{name}/x/{key+}', '/a/b/x/c', { name: 'b', key: 'c' }],
    ['/a/{name}/x/{key+}', '/a/b/x/2026/01//k%20.gz', { name: 'b', key: '2026/01//k .gz' }],
    ['/a/{name}/x/{key+}', '/a/b/x/c/', { name: 'b', key: 'c/' }],
    ['/a/{name}/x/{key+}', '/a/b/x/', undefined],
    ['/a/{name}/x/{key+}', '/a/b/x', undefined],
    ['/a/{name}/x/{key+}', '/a/b/y/c', undefined],
  ];
  for (const [pattern, path, parts] of table) assert.deepEqual(matchPath(pattern, path), parts, `${pattern} ${path}`);
});
