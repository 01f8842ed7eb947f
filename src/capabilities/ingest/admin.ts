import type { AdminRoute } from '../../ports/capability.ts';
import type { Sources } from './sources.ts';

/** The admin routes of sources. */
export function sourceRoutes(sources: Sources): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/sources',
      doc: 'All sources: state, position, lag, and what came of their events since the start.',
      handle: async () => ({ sources: sources.list() }),
    },
    {
      method: 'GET',
      path: '/admin/sources/{name}',
      doc: 'One source.',
      handle: async ({ name = '' }) => sources.get(name),
    },
    {
      method: 'POST',
      path: '/admin/sources/{name}/pause',
      doc: 'Stops reading a source until it is resumed, also over restarts.',
      handle: async ({ name = '' }) => {
        await sources.pause(name);
        return sources.get(name);
      },
    },
    {
      method: 'POST',
      path: '/admin/sources/{name}/resume',
      doc: 'Goes on where a source stopped: paused, told that there is no more, or ended by a problem.',
      handle: async ({ name = '' }) => {
        await sources.resume(name);
        return sources.get(name);
      },
    },
  ];
}
