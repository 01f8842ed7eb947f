import type { UrlRules } from '../../../ports/http-client.ts';
import type { SectionProblem } from '../../../ports/section-problem.ts';
import type { GatewayOptions, RouteOptions } from '../config.ts';
import { chosenKind } from '../route-problems.ts';
import type { PullOptions } from './pull-options.ts';

/** One hook whose missed deliveries are pulled. */
export interface PullPlan {
  readonly name: string;
  /** Key of the route that takes them. */
  readonly route: string;
  /** Its URL at the API of GitHub. */
  readonly hook: string;
  readonly token: string;
  /** Undefined: as usual. */
  readonly everySeconds: number | undefined;
}

const HOOK = /^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?\/(?:repos\/[^/?#\s]+|orgs)\/[^/?#\s]+\/hooks\/\d{1,19}$/;

/** The hooks of a section. */
export function pullPlans(options: GatewayOptions | undefined): readonly PullPlan[] {
  return Object.entries(options?.routes ?? {}).flatMap(([route, given]) => {
    const { hooks = {}, token = '', everySeconds } = pullOf(given) ?? {};
    return Object.entries(hooks).map(([name, hook]) => ({ name, route, hook, token, everySeconds }));
  });
}

/** What the shape of the section alone cannot say of hooks that are pulled. */
export function pullProblems(options: GatewayOptions | undefined, urls: UrlRules): readonly SectionProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(options?.routes ?? {}).flatMap(([route, given]) => {
    const pull = pullOf(given);
    if (pull === undefined) return [];
    const found = [
      ...routeProblem(given),
      ...Object.entries(pull.hooks).flatMap(([name, hook]) => {
        const earlier = seen.get(name);
        seen.set(name, route);
        const message = earlier === undefined ? hookProblem(hook, urls) : `${earlier} has a hook of that name already`;
        return message === undefined ? [] : [{ path: ['hooks', name], message }];
      }),
    ];
    return found.map(({ path, message }) => ({
      path: ['routes', route, 'verify', 'github', 'pull', ...path],
      message,
    }));
  });
}

function pullOf({ verify }: RouteOptions): PullOptions | undefined {
  const chosen = chosenKind(verify);
  return chosen?.kind.pull?.(chosen.options as never);
}

function routeProblem({ authorizer, dedupe }: RouteOptions): { path: string[]; message: string }[] {
  if (authorizer !== undefined) {
    return [
      { path: [], message: 'cannot be beside `authorizer`: what that refused counts as missed, and would come in' },
    ];
  }
  if (dedupe === 'off')
    return [{ path: [], message: 'needs ids: with `dedupe: off` deliveries would be stored twice' }];
  return [];
}

function hookProblem(hook: string, urls: UrlRules): string | undefined {
  if (!HOOK.test(hook)) return 'expected a hook at GitHub’s API: https://api.github.com/repos/OWNER/NAME/hooks/ID';
  return urls.problem(hook);
}
