import { RequestError } from '../../kernel/errors.ts';
import type { AdminRoute } from '../../ports/capability.ts';
import type { HostedFunction } from './hosted-function.ts';
import type { FunctionsState } from './model.ts';

/** The admin routes of functions. */
export function functionRoutes({ functions, logs }: FunctionsState, events: () => object): AdminRoute[] {
  const find = (name: string): HostedFunction => {
    const found = functions.get(name);
    if (found === undefined) throw new RequestError('NotFound', `no function ${name}`, 404);
    return found;
  };
  return [
    {
      method: 'GET',
      path: '/admin/functions',
      doc:
        'All functions: processes, running and waiting events, and how runs ended since the start. `events`: Events ' +
        'that wait in the log, and those that were gone from it before they were run.',
      handle: async () => ({ functions: functions.list().map((one) => one.describe()), events: events() }),
    },
    {
      method: 'GET',
      path: '/admin/functions/{name}',
      doc: 'One function, with its last failures.',
      handle: async ({ name = '' }) => {
        const one = find(name);
        return { ...one.describe(), lastFailures: one.failures };
      },
    },
    {
      method: 'GET',
      path: '/admin/functions/{name}/logs',
      doc:
        'Runs of the last week with their lines, oldest first: `from` (a time; an hour ago), or `after` (a former ' +
        '`next`); `limit` (100). A page may be empty and not the last one: `isAtEnd` says so.',
      query: { from: 'A time; an hour ago.', after: 'A former `next`.', limit: 'Runs; 100.' },
      handle: async ({ name = '' }, query) => await logs.page(find(name).name, query),
    },
  ];
}
