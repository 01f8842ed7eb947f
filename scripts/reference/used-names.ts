import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firehoseEvents } from '../../src/capabilities/firehose/events.ts';
import { functionsEvents } from '../../src/capabilities/functions/events.ts';
import { kinesisEvents } from '../../src/capabilities/kinesis/events.ts';

/** A name that the sources log or measure, with its level or kind of metric. */
export interface UsedName {
  readonly name: string;
  readonly kind: string;
}

const METRIC_KINDS: Readonly<Record<string, string>> = { count: 'counter', gauge: 'gauge', observe: 'histogram' };
const NAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  firehoseEvents,
  functionsEvents,
  kinesisEvents,
};
const CALL = /\b(?:log|meter)\.(debug|info|warn|error|count|gauge|observe)\(\s*([^,)]*)/g;

/** What the sources under `root` log and measure, by name. */
export function usedNames(root: string): {
  readonly metrics: readonly UsedName[];
  readonly events: readonly UsedName[];
} {
  const metrics = new Map<string, string>();
  const events = new Map<string, string>();
  for (const text of sources(join(root, 'src'))) {
    for (const [, method = '', first = ''] of text.matchAll(CALL)) {
      const kind = METRIC_KINDS[method];
      for (const name of namesIn(first)) (kind === undefined ? events : metrics).set(name, kind ?? method);
    }
  }
  return { metrics: sorted(metrics), events: sorted(events) };
}

/** Names in a call's first argument: texts, or members of a capability's list of events. */
function namesIn(argument: string): readonly string[] {
  const texts = [...argument.matchAll(/'([^']+)'/g)].map(([, text = '']) => text);
  const members = [...argument.matchAll(/\b(\w+Events)\.(\w+)/g)].map(([whole, list = '', member = '']) => {
    const name = NAMED[list]?.[member];
    if (name === undefined) throw new Error(`no event ${whole}`);
    return name;
  });
  return [...texts, ...members];
}

function sorted(names: ReadonlyMap<string, string>): readonly UsedName[] {
  return [...names].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, kind]) => ({ name, kind }));
}

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sources(path);
    return /^(?!.*\.(test|fixture)\.ts$).*\.ts$/.test(entry.name) ? [readFileSync(path, 'utf8')] : [];
  });
}
