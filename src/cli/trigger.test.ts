import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signByScheme, verifyByScheme, type SignatureScheme } from '../wire/webhook/signature-scheme.ts';
import type { WebhookToSign } from './context.ts';
import { FACTS, millrace, refused, type Ended, type Parts, type Reply } from './cli.fixture.ts';

const SAMPLE = Buffer.from('{"zen":"Keep it logically awesome."}');
const GITHUB = { key: 'POST /test/git-data', method: 'POST', path: '/test/git-data', verify: 'github' };
const OTHER = { key: 'POST /other', method: 'POST', path: '/other', verify: 'github' };
const OPEN = { key: 'POST /open', method: 'POST', path: '/open', verify: 'none' };
const STRIPE = { key: 'ANY /{x}/s', method: 'ANY', path: '/v1/{x}/s', verify: 'stripe' };

const SCHEME: SignatureScheme = { algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=', template: '{body}' };

async function verifyGithub(secrets: readonly string[], body: Uint8Array, signature: string): Promise<boolean> {
  return await verifyByScheme(SCHEME, secrets, { body }, signature, async () => undefined);
}

interface Node {
  readonly routes?: readonly object[];
  readonly answer?: Reply;
  readonly configFile?: string | null;
}

/** Signs as GitHub does, whoever is meant. */
async function signWebhook(webhook: WebhookToSign): Promise<Readonly<Record<string, string>>> {
  const { route, file, data, body, event, deliveryId } = webhook;
  if (webhook.kind === 'none') return {};
  const secret = webhook.secret ?? `secret of ${route} by ${file} in ${data}`;
  return {
    'user-agent': 'GitHub-Hookshot/millrace',
    'x-github-event': event,
    'x-github-delivery': deliveryId,
    'x-hub-signature-256': signByScheme(SCHEME, secret, { body }),
  };
}

/** Triggers on a node with these routes; secrets of a route are `secret of POST /path`. */
async function trigger(args: readonly string[], node: Node = {}, parts: Parts = {}): Promise<Ended> {
  const { routes = [GITHUB, OPEN], configFile = FACTS.configFile } = node;
  const answer = node.answer ?? (() => ({ ShardId: 's', duplicate: false }));
  const posts = Object.fromEntries(
    ['/test/git-data', '/other', '/open', '/v1/sample/s'].map((path) => [`POST ${path}`, answer]),
  );
  const replies: Record<string, Reply> = {
    'GET /admin/node': () => ({ ...FACTS, configFile }),
    'GET /admin/routes': () => ({ routes }),
    ...posts,
  };
  const fixtures = async (): Promise<ReadonlyMap<string, Uint8Array>> =>
    new Map([
      ['github.ping', SAMPLE],
      ['github.push', SAMPLE],
      ['stripe.charge.succeeded', Buffer.from('{"id":"evt_{delivery}"}')],
    ]);
  return await millrace(['trigger', ...args], { replies, fixtures, signWebhook, ...parts });
}

test('a sample goes to the only GitHub route, signed with its own secret', async () => {
  const { code, sent, out, err } = await trigger(['github.push']);
  assert.equal(code, 0);
  assert.equal(out, '{"ShardId":"s","duplicate":false}\n');
  assert.equal(err, 'POST http://127.0.0.1:4568/test/git-data -> 200\n');
  const { headers, body, url } = sent.at(-1) ?? assert.fail();
  assert.equal(url, 'http://127.0.0.1:4568/test/git-data');
  assert.deepEqual(body, SAMPLE);
  const { 'x-hub-signature-256': signature = '', ...others } = headers;
  assert.deepEqual(others, {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/millrace',
    'x-github-event': 'push',
    'x-github-delivery': 'id-1',
  });
  const secret = 'secret of POST /test/git-data by /config/m.yaml in /data';
  assert.equal(await verifyGithub([secret], SAMPLE, signature), true);
  assert.equal(await verifyGithub(['another'], SAMPLE, signature), false);
});

test('what flags change', async () => {
  const { sent } = await trigger(
    ['github.issues', '--file', 'f.json', '--secret', 'own', '--delivery', 'd-7', '--route', 'POST /other'],
    { routes: [GITHUB, OTHER], configFile: null },
    { readFile: async (path) => Buffer.from(`content of ${path}`) },
  );
  const { headers, body, url } = sent.at(-1) ?? assert.fail();
  assert.equal(url, 'http://127.0.0.1:4568/other');
  assert.equal(body.toString(), 'content of f.json');
  assert.deepEqual([headers['x-github-event'], headers['x-github-delivery']], ['issues', 'd-7']);
  assert.equal(await verifyGithub(['own'], body, headers['x-hub-signature-256'] ?? ''), true);
  const elsewhere = await trigger(['github.push', '--data', 'd']);
  assert.equal(elsewhere.code, 0);
  const signature = elsewhere.sent.at(-1)?.headers['x-hub-signature-256'] ?? '';
  assert.equal(await verifyGithub(['secret of POST /test/git-data by /config/m.yaml in d'], SAMPLE, signature), true);
});

test('other senders have their own routes, and the id where theirs is', async () => {
  const { code, sent } = await trigger(['stripe.charge.succeeded', '--delivery', '7'], { routes: [GITHUB, STRIPE] });
  assert.equal(code, 0);
  const { url, body } = sent.at(-1) ?? assert.fail();
  assert.deepEqual([url, body.toString()], ['http://127.0.0.1:4568/v1/sample/s', '{"id":"evt_7"}']);
});

test('without an event, the samples there are', async () => {
  const { out, sent } = await trigger([]);
  assert.equal(out, 'github.ping\ngithub.push\nstripe.charge.succeeded\n');
  assert.deepEqual(sent, []);
});

const SEVERAL = 'several routes fit; choose with --route: POST /test/git-data, POST /other';

test('which route is meant', async () => {
  const table: readonly (readonly [args: string, routes: readonly object[], code: number, said: string])[] = [
    ['github.push', [OPEN, OTHER], 0, 'POST http://127.0.0.1:4568/other -> 200'],
    ['github.push --route /open', [OPEN, OTHER], 0, 'POST http://127.0.0.1:4568/open -> 200'],
    ['github.push', [], 1, 'millrace: no such route; the node has: none'],
    ['github.push', [OPEN], 1, 'millrace: no such route; the node has: POST /open'],
    ['github.push --route /nope', [OPEN], 1, 'millrace: no such route; the node has: POST /open'],
    ['github.push', [GITHUB, OTHER], 2, `millrace: ${SEVERAL}`],
  ];
  for (const [args, routes, code, said] of table) {
    const ended = await trigger(args.split(' '), { routes });
    assert.deepEqual([ended.code, ended.err], [code, `${said}\n`], args);
  }
});

test('what ends it', async () => {
  const gone: Reply = () => {
    throw new TypeError('fetch failed');
  };
  const none: Parts = { signWebhook: async () => undefined };
  const table: readonly (readonly [args: string, node: Node, parts: Parts, code: number, said: RegExp])[] = [
    [
      'github.nope',
      {},
      {},
      2,
      /^millrace: no sample github\.nope; there are github\.ping, github\.push, stripe\.charge\.succeeded\n$/,
    ],
    ['gitlab.push', {}, {}, 2, /^millrace: no sample gitlab\.push; /],
    ['gitlab.push --file f', {}, { readFile: async () => SAMPLE }, 1, /^millrace: no such route; /],
    [
      '--route /open --file f',
      {},
      {},
      2,
      /^millrace: name an event such as github\.push: without one nothing is sent\n$/,
    ],
    ['nobody.push --file f', {}, {}, 2, /^millrace: no sample nobody\.push; /],
    ['github.push', { configFile: null }, {}, 2, /^millrace: the node has no config file; give --secret\n$/],
    ['github.push', {}, none, 1, /^millrace: the secret of the route is not known here; give --secret\n$/],
    [
      'github.push',
      { answer: gone },
      {},
      4,
      /^millrace: nothing answers at http:\/\/127\.0\.0\.1:4568\/test\/git-data\n$/,
    ],
    ['github.push', { answer: () => refused(401, 'no') }, {}, 1, /-> 401\nmillrace: the route answered 401\n$/],
  ];
  for (const [args, node, parts, code, said] of table) {
    const ended = await trigger(args.split(' '), node, parts);
    assert.equal(ended.code, code, args);
    assert.match(ended.err, said, args);
  }
});
