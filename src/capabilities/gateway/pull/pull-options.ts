import * as s from '../../../kernel/schema/declare.ts';
import { limits } from '../limits.ts';

/** The declaration of how deliveries that nobody took are asked for at GitHub. */
export const pullOptions = s.struct(
  {
    hooks: s.map(
      s.string({
        min: 1,
        max: 2048,
        doc:
          'The hook at GitHub’s API, as `hook.url` of its ping says: ' +
          '`https://api.github.com/repos/OWNER/NAME/hooks/ID`, `/orgs/NAME/hooks/ID`; ' +
          'of GitHub Enterprise Server `https://HOST/api/v3/...`. `outgoing` must allow it.',
      }),
      {
        key: s.string({ min: 1, max: limits.pullNameCharactersMax, pattern: '[a-zA-Z0-9_.-]+' }),
        max: limits.pullHooksMax,
        doc: 'Hooks that send to the route, by a name that no other one of the file has.',
      },
    ),
    token: s.string({
      min: 1,
      max: 1024,
      secret: true,
      doc: 'A token that may read the hooks (`admin:repo_hook`, `admin:org_hook`, or Webhooks: read).',
    }),
    everySeconds: s.optional(
      s.integer({
        min: limits.pullEverySecondsMin,
        max: limits.pullEverySecondsMax,
        doc: `How often it is looked for deliveries that nobody took (${limits.pullEverySeconds}).`,
      }),
    ),
  },
  { doc: 'Fetches deliveries that nobody took, as while this was down: GitHub does not send them again by itself.' },
);

/** The checked word. */
export type PullOptions = s.Static<typeof pullOptions>;
