import { parseUrl } from '../kernel/net/parse-url.ts';
import type { Problem } from '../kernel/schema/check-config.ts';
import * as s from '../kernel/schema/declare.ts';

/** The declaration of the section `opensearch`. */
export const openSearchSection = s.map(
  s.struct({
    endpoint: s.optional(
      s.string({
        min: 1,
        max: 512,
        pattern: 'https?://.+',
        doc: 'Of an entry that is named after a domain: where it is.',
      }),
    ),
    username: s.optional(
      s.string({ min: 1, max: 256, pattern: '[^:]+', hidden: true, doc: 'With `password`: HTTP basic.' }),
    ),
    password: s.optional(s.string({ min: 1, max: 1024, secret: true })),
    sigv4: s.optional(
      s.struct(
        {
          region: s.optional(
            s.string({ min: 1, max: 64, doc: 'Default: that in the host name of AWS, else the node’s.' }),
          ),
          accessKeyId: s.optional(s.string({ min: 1, max: 128, hidden: true })),
          secretAccessKey: s.optional(s.string({ min: 1, max: 256, secret: true })),
          sessionToken: s.optional(s.string({ min: 1, max: 4096, secret: true })),
        },
        {
          doc:
            'AWS’s signatures. Without keys: those that the AWS SDK finds (environment, profiles, roles), or without ' +
            'it those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.',
        },
      ),
    ),
  }),
  {
    key: s.string({ min: 1, max: 512 }),
    doc:
      'How deliveries prove who they are, by the URL of the cluster or the name of the domain. A cluster that is not ' +
      'named here is asked without proof, one of AWS with signatures where keys are found. Taken over ' +
      'without restart.',
  },
);

/** The checked section. */
export type OpenSearchSection = s.Static<typeof openSearchSection>;

type Entry = OpenSearchSection[string];

/** What the shape of the section `opensearch` alone cannot say. */
export function openSearchProblems(section: unknown): Problem[] {
  return Object.entries((section ?? {}) as OpenSearchSection).flatMap(([name, entry]) => {
    const what = entryProblem(name, entry);
    return what === undefined ? [] : [{ path: ['opensearch', name], what, expected: '', hint: '' }];
  });
}

function entryProblem(name: string, { endpoint, username, password, sigv4 }: Entry): string | undefined {
  const isUrl = /^https?:\/\//.test(name);
  for (const url of isUrl ? [name] : [endpoint]) {
    if (url === undefined) return 'is no URL, and without endpoint nothing says where this domain is';
    const parsed = parseUrl(url);
    if (parsed === undefined) return `${url} is no URL`;
    const { username: user, password: word } = parsed;
    if (user !== '' || word !== '') return 'a URL with a name or a password in it would be shown: give them beside it';
  }
  if (isUrl && endpoint !== undefined) return 'is a URL, and endpoint is another; keep one';
  if ((username === undefined) !== (password === undefined)) return 'username and password go together';
  if (username !== undefined && sigv4 !== undefined) return 'has a password and sigv4; keep one';
  const { accessKeyId, secretAccessKey, sessionToken } = sigv4 ?? {};
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    return 'sigv4: accessKeyId and secretAccessKey go together';
  }
  return sessionToken !== undefined && accessKeyId === undefined ? 'sigv4: a sessionToken goes with keys' : undefined;
}
