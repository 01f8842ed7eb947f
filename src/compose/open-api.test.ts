import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../kernel/errors.ts';
import type { AdminRoute } from '../ports/capability.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { AuditStream } from './audit.ts';
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
      const places = parameters.filter((given) => given.in === 'path' && given.required === true);
      const questions = parameters.filter((given) => given.in === 'query' && given.required === undefined);
      check(places.length + questions.length === parameters.length, `${at}: parameters`);
      check(
        parameters.every(({ schema }) => schema.type === 'string'),
        `${at}: schema`,
      );
      assert.deepEqual(
        places.map(({ name }) => name),
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
    route('GET', '/admin/lists/{name}', { query: { after: 'A former `next`.' } }),
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
  const [, after] = document.paths['/admin/lists/{name}'].get.parameters;
  assert.deepEqual(after, {
    name: 'after',
    in: 'query',
    description: 'A former `next`.',
    schema: { type: 'string' },
  });
});

/** Notes which parameters somebody asks for. */
class WatchedQuery extends URLSearchParams {
  readonly asked = new Set<string>();
  override get(name: string): string | null {
    this.asked.add(name);
    return super.get(name);
  }
  override getAll(name: string): string[] {
    this.asked.add(name);
    return super.getAll(name);
  }
  override has(name: string, value?: string): boolean {
    this.asked.add(name);
    return super.has(name, value);
  }
}

test('the parameters of queries that routes name are those that they read', async () => {
  const names: Readonly<Record<string, string>> = { name: 'n', bucket: 'bucket', id: '7', key: 'k' };
  const sections = {
    streams: { n: {} },
    functions: { n: { runtime: 'node', code: '/code', handler: 'a.b' } },
    deliveries: { n: { from: 'n', ExtendedS3DestinationConfiguration: { BucketARN: 'bucket' } } },
    gateway: { routes: { 'POST /hook': { verify: 'none', to: 'n' } } },
  };
  await withNode(undefined, sections, async ({ node }) => {
    const withQueries = node.admin.filter(({ query }) => query !== undefined);
    assert.ok(withQueries.length >= 7, `${withQueries.length} routes`);
    const audit = new AuditStream(node.records, createNodeEnvironment({ log: 'silent' }));
    for (const one of [...node.admin, audit.route]) {
      const { method, path, query = {} } = one;
      const watched = new WatchedQuery({ from: '2026-01-31T12:00:00Z', dryRun: 'true' });
      const refused = (error: unknown): void => {
        if (!(error instanceof RequestError)) throw error;
      };
      await one.handle(names, watched, fakeRequest({ method })).catch(refused);
      assert.deepEqual([...watched.asked].toSorted(), Object.keys(query).toSorted(), `${method} ${path}`);
    }
  });
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
