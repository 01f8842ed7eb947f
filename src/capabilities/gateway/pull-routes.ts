import type { AdminRoute } from '../../ports/capability.ts';
import type { Pulls } from './pulls.ts';

/** The admin routes of hooks whose missed deliveries are fetched. */
export function pullRoutes(pulls: Pulls): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/pulls',
      doc: 'Hooks whose missed deliveries are fetched: state, position, and what came of them since the start.',
      handle: async () => ({ pulls: pulls.list() }),
    },
    {
      method: 'GET',
      path: '/admin/pulls/{name}',
      doc: 'One of them.',
      handle: async ({ name = '' }) => pulls.get(name),
    },
    {
      method: 'POST',
      path: '/admin/pulls/{name}/pause',
      doc: 'Fetches nothing more of a hook until it is resumed, also over restarts.',
      handle: async ({ name = '' }) => {
        await pulls.pause(name);
        return pulls.get(name);
      },
    },
    {
      method: 'POST',
      path: '/admin/pulls/{name}/resume',
      doc: 'Goes on where it stopped: paused, or ended by a problem.',
      handle: async ({ name = '' }) => {
        await pulls.resume(name);
        return pulls.get(name);
      },
    },
    {
      method: 'POST',
      path: '/admin/pulls/{name}/look',
      doc: 'Looks for missed deliveries at once.',
      handle: async ({ name = '' }) => {
        pulls.look(name);
        return pulls.get(name);
      },
    },
  ];
}
