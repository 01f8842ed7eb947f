import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { GatewayOptions } from './config.ts';

/** What works in the section, but perhaps not as it was meant: streams and functions that the file does not have. */
export function gatewayNotes(options: GatewayOptions, { names }: Pick<NoteDoors, 'names'>): readonly SectionProblem[] {
  return Object.entries(options.routes ?? {}).flatMap(([key, { to, function: handler, authorizer, onInvalid }]) => {
    const quarantine = typeof onInvalid === 'object' ? onInvalid.quarantine : undefined;
    const named = [
      [['to'], 'stream', to],
      [['function'], 'function', handler],
      [['authorizer', 'function'], 'function', authorizer?.function],
      [['onInvalid', 'quarantine'], 'stream', quarantine],
    ] as const;
    return named.flatMap(([path, kind, name]) => {
      const known = names(kind === 'stream' ? 'streams' : 'functions');
      const message = typeof name === 'string' ? unknownName(kind, name, known) : undefined;
      return message === undefined ? [] : [{ path: ['routes', key, ...path], message }];
    });
  });
}
