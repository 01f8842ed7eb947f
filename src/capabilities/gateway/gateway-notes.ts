import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { readRoutes, type GatewayOptions } from './routes.ts';

/** What works in the section, but perhaps not as it was meant: routes to streams that the file does not have. */
export function gatewayNotes(
  options: GatewayOptions,
  { names, mode }: Pick<NoteDoors, 'names' | 'mode'>,
): readonly SectionProblem[] {
  return Array.from(readRoutes(options, mode).routes.values(), ({ key, stream }) => ({
    path: ['routes', key, 'to'],
    message: unknownName('stream', stream, names('streams')),
  })).flatMap(({ path, message }) => (message === undefined ? [] : [{ path, message }]));
}
