import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdminRoute } from '../ports/capability.ts';
import { withNode, type Answer } from './key-pairs.fixture.ts';
import { openApiRoute } from './open-api.ts';

const route = (method: AdminRoute['method'], path: string, more: Partial<AdminRoute> = {}): AdminRoute => ({
  method,
  path,
  doc: `What ${path} does.`,
  handle: async () => ({}),
  ...more,
});

async function documentOf(routes: readonly AdminRoute[]): Promise<Answer> {
  const own = openApiRoute(routes, '1.2.3');
  const request = {} as Parameters<AdminRoute['handle']>[2];
  return JSON.parse(JSON.stringify(await own.handle({}, new URLSearchParams(), request)));
}

/** What OpenAPI 3.1.0 demands of the parts that are used here, by section 4.8 of its text. */
function faults({ openapi, info, paths, components, security }: Answer): string[] {
  const found: string[] = [];
  const check = (isRight: boolean, what: string): void => {
    if (!isRight) found.push(what);
  };
  check(/^3\.1\.\d+$/.test(openapi), 'openapi');
  check(typeof info.title === 'string' && typeof info.version === 'string', 'info');
  const ids = new Set<string>();
  for (const [path, item] of Object.entries<Answer>(paths)) {
    check(path.startsWith('/') && !path.includes('+'), `path ${path}`);
    const named = [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name);
    for (const [method, one] of Object.entries<Answer>(item)) {
      const at = `${method} ${path}`;
      check(['get', 'post', 'delete'].includes(method), at);
      check(!ids.has(one.operationId), `${at}: operationId`);
      ids.add(one.operationId);
      const parameters: readonly Answer[] = one.parameters ?? [];
      check(
        parameters.every((given) => given.in === 'path' && given.required === true),
        `${at}: parameters`,
      );
      check(
        parameters.every(({ schema }) => schema.type === 'string'),
        `${at}: schema`,
      );
      assert.deepEqual(
        parameters.map(({ name }) => name),
        named,
        at,
      );
      const answers = Object.entries<Answer>(one.responses);
      check(answers.length > 0 && answers.every(([status]) => /^(default|[1-5]\d\d)$/.test(status)), `${at}: status`);
      check(
        answers.every(([, { description }]) => typeof description === 'string'),
        `${at}: responses`,
      );
    }
  }
  for (const [reference] of JSON.stringify(paths).matchAll(/#\/components\/schemas\/\w+/g)) {
    check(components.schemas[reference.split('/')[3] ?? ''] !== undefined, reference);
  }
  for (const name of security.flatMap(Object.keys)) check(components.securitySchemes[name] !== undefined, name);
  return found;
}

test('routes as operations', async () => {
  const document = await documentOf([
    route('GET', '/admin/things'),
    route('POST', '/admin/things/{name}/pause'),
    route('DELETE', '/admin/things/{name}/pause'),
    route('GET', '/admin/buckets/{bucket}/objects/{key+}', { answersBytes: true }),
  ]);
  assert.deepEqual(faults(document), []);
  const { '/admin/things/{name}/pause': pause, '/admin/buckets/{bucket}/objects/{key}': object } = document.paths;
  assert.deepEqual(Object.keys(pause), ['post', 'delete']);
  assert.equal(pause.post.operationId, 'postThingsNamePause');
  assert.equal(pause.post.description, 'What /admin/things/{name}/pause does.');
  assert.deepEqual(
    object.get.parameters.map(({ name }: Answer) => name),
    ['bucket', 'key'],
  );
  assert.match(object.get.parameters[1].description, /slashes/);
  assert.deepEqual(Object.keys(object.get.responses['200'].content), ['application/octet-stream']);
});

test('GET /admin/openapi.json names all that the running node serves', async () => {
  await withNode(undefined, {}, async ({ api, node }) => {
    const answer = await fetch(`${api}/admin/openapi.json`);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/json']);
    const document: Answer = await answer.json();
    assert.deepEqual(faults(document), []);
    for (const path of ['/admin/node', '/admin/audit', '/admin/openapi.json']) assert.ok(document.paths[path], path);
    for (const { method, path, doc } of node.admin) {
      const named = document.paths[path.replace('+}', '}')]?.[method.toLowerCase()];
      assert.equal(named?.description, doc, `${method} ${path}`);
    }
    const reads = Object.entries<Answer>(document.paths).filter(([, item]) => item.get !== undefined);
    for (const [path] of reads.filter(([each]) => !each.includes('{'))) {
      assert.ok((await fetch(api + path)).status < 400, path);
    }
  });
});
