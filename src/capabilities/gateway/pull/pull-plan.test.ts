import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutgoingRules } from '../../../kernel/net/outgoing-rules.ts';
import type { UrlRules } from '../../../ports/http-client.ts';
import type { GatewayOptions } from '../config.ts';
import { pullPlans, pullProblems } from './pull-plan.ts';

const API = 'https://api.github.com';

function urls(mode: 'dev' | 'start'): UrlRules {
  const rules = new OutgoingRules({ mode, allow: [], own: [] });
  return { problem: (url) => rules.urlProblem(url) };
}

/** One route that pulls these hooks. */
function section(hooks: Readonly<Record<string, string>>, more: object = {}): GatewayOptions {
  const verify = { github: { secrets: ['S'], pull: { hooks, token: 'T', everySeconds: 60 } } };
  return { routes: { 'POST /a': { verify, to: 's', ...more }, 'POST /b': { to: 's' } } };
}

test('which hooks can be pulled', () => {
  const shape = 'expected a hook at GitHub’s API: https://api.github.com/repos/OWNER/NAME/hooks/ID';
  const rows: readonly (readonly [hook: string, problem?: string])[] = [
    [`${API}/repos/mill-works/millwheel/hooks/11`],
    [`${API}/orgs/mill-works/hooks/11`],
    ['https://git.example/api/v3/repos/a/b.c/hooks/1'],
    [`${API}/repos/mill-works/millwheel/hooks/11/`, shape],
    [`${API}/repos/mill-works/millwheel/hooks/11/deliveries`, shape],
    [`${API}/repos/mill-works/millwheel/hooks/x`, shape],
    [`${API}/repos/mill-works/hooks/11`, shape],
    [`${API}/app/hook`, shape],
    ['https://me:secret@git.example/api/v3/orgs/a/hooks/1', shape],
    ['https://github.com/mill-works/millwheel/settings/hooks/11', shape],
    ['http://api.github.com/orgs/a/hooks/1', 'http://api.github.com is not https; outgoing.allow can list it'],
    ['https://10.0.0.1/api/v3/orgs/a/hooks/1', '10.0.0.1 is private; outgoing.allow can list it'],
  ];
  for (const [hook, problem] of rows) {
    const found = pullProblems(section({ wheel: hook }), urls('start'));
    assert.deepEqual(
      found.map(({ message }) => message),
      problem === undefined ? [] : [problem],
      hook,
    );
    if (problem === undefined) continue;
    assert.deepEqual(found[0]?.path, ['routes', 'POST /a', 'verify', 'github', 'pull', 'hooks', 'wheel']);
  }
});

test('which routes they can be pulled for', () => {
  const hook = `${API}/orgs/mill-works/hooks/11`;
  const said = (options: GatewayOptions): readonly string[] =>
    pullProblems(options, urls('dev')).map(({ path, message }) => `${path.join('.')}: ${message}`);
  const pull = 'routes.POST /a.verify.github.pull';
  assert.deepEqual(said(section({ wheel: hook }, { dedupe: 'off' })), [
    `${pull}: needs ids: with \`dedupe: off\` deliveries would be stored twice`,
  ]);
  assert.deepEqual(said(section({ wheel: hook }, { authorizer: { function: 'f' } })), [
    `${pull}: cannot be beside \`authorizer\`: what that refused counts as missed, and would come in`,
  ]);
  const { routes = {} } = section({ wheel: hook });
  const twice = { routes: { 'POST /b': routes['POST /a'], 'POST /a': routes['POST /a'] } } as GatewayOptions;
  assert.deepEqual(said(twice), [`${pull}.hooks.wheel: POST /b has a hook of that name already`]);
});

test('the hooks of a section', () => {
  const hooks = { wheel: `${API}/orgs/a/hooks/1`, other: `${API}/orgs/a/hooks/2` };
  const common = { route: 'POST /a', token: 'T', everySeconds: 60 };
  assert.deepEqual(
    pullPlans(section(hooks)),
    Object.entries(hooks).map(([name, hook]) => ({ name, hook, ...common })),
  );
  assert.deepEqual(pullPlans(undefined), []);
});
