import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilities } from '../registry.ts';
import { literalSecrets } from './literal-secrets.ts';
import { configSchema } from './schema.ts';

test('secrets that stand in a file as they are', () => {
  const secrets = (...given: unknown[]): object => ({
    gateway: { routes: { 'POST /x': { to: 's', verify: { github: { secrets: given } } } } },
  });
  const at = 'gateway.routes.POST /x.verify.github.secrets';
  const env = (variables: object): object => ({ functions: { f: { env: variables } } });
  const headers = (text: string): object => ({ sources: { s: { sse: { url: 'https://a', headers: text }, to: 's' } } });
  const table: readonly (readonly [tree: unknown, ...paths: string[]])[] = [
    [{}],
    [null],
    [secrets('x'), `${at}.0`],
    [secrets('${secret:A}', '${env:B:-c}', '')],
    [secrets('${secret:A}', { value: 'x' }), `${at}.1.value`],
    [{ server: { credentials: [{ accessKeyId: 'a-long-enough-id', secretAccessKey: 'x' }] } }, 'server.credentials.0.secretAccessKey'],
    [env({ DB_PASSWORD: 'hunter22' }), 'functions.f.env.DB_PASSWORD'],
    [env({ DB_PASSWORD: '${secret:DB}', api_key: '', TOKEN: 'short', SECRET_NAME: 'long enough' })],
    [env({ TOKEN_URL: 'https://host/path', PUBLIC_KEY: 'long enough', partitionKey: 'long enough' })],
    [env({ ApiKey: 'long enough', AWS_SECRET_ACCESS_KEY: 'long enough' }), 'functions.f.env.ApiKey', 'functions.f.env.AWS_SECRET_ACCESS_KEY'],
    [env({ TOKENS: 5, SECRETS: ['long enough'] }), 'functions.f.env.SECRETS.0'],
    [env({ A: 'mongodb://user:pass@host/', B: 'mongodb://user@host/', C: 'http://host:80/a@b' }), 'functions.f.env.A'],
    [env({ A: 'mongodb://user:${secret:P}@host/', B: 'mongodb://${env:U}:pass@host/' }), 'functions.f.env.B'],
    [{ streams: { 'a-secret': { Tags: { token: 'x', color: 'long enough' } } } }],
    [headers('User-Agent|me@example.com')],
    [headers(' user-agent | me|ACCEPT-Language|de|Referer|https://example.com/')],
    [headers('User-Agent|me|x-api-key|demo'), 'sources.s.sse.headers'],
    [headers('authorization|User-Agent|x|me'), 'sources.s.sse.headers'],
    [headers('User-Agent|me|Authorization|Bearer ${secret:T}')],
    [{ later: { AccessKey: 'long enough' } }, 'later.AccessKey'],
  ]; // prettier-ignore
  const schema = configSchema(capabilities);
  for (const [tree, ...paths] of table) {
    const found = literalSecrets(schema, tree).map((path) => path.join('.'));
    assert.deepEqual(found, paths, JSON.stringify(tree));
  }
});
