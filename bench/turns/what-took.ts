import type { Turn } from './turn.ts';

/** What the platform's profiler gives, as far as it is used; times in microseconds. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

/** Where less than this part of a turn's samples goes on, the path that most of them took ends. */
const PART_MIN = 0.4;
const NAMED = 5;
/** Where it ends, the ways that most of them went on. */
const BRANCHES = 4;

/**
 * The turns with the functions that most of their samples met, the innermost last, and behind them those that it parts
 * into; `zero` is the begin of the turns' clock by the profiler's, in ms.
 */
export function whatTook(profile: Profile, turns: readonly Turn[], zero: number): readonly Turn[] {
  const paths = pathsOf(profile);
  let at = profile.startTime / 1000 - zero;
  const samples = profile.samples.map((node, index) => {
    at += (profile.timeDeltas[index] ?? 0) / 1000;
    return { at, path: paths.get(node) ?? [] };
  });
  return turns.map((turn) => {
    const inside = samples.filter((sample) => sample.at >= turn.from && sample.at <= turn.to);
    return { ...turn, what: beaten(inside.map(({ path }) => path)).join(' > ') };
  });
}

function beaten(paths: readonly (readonly string[])[]): readonly string[] {
  const steps: string[] = [];
  for (let depth = 0, on = paths; ; depth += 1) {
    const counts = new Map<string, number>();
    for (const path of on) {
      const name = path[depth];
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sorted = [...counts].sort(([, one], [, other]) => other - one);
    const [most] = sorted;
    if (most === undefined || most[1] < paths.length * PART_MIN) {
      const branches = sorted.slice(0, BRANCHES).map(([name, count]) => `${name} (${count})`);
      return [...steps.slice(-NAMED), ...(branches.length === 0 ? [] : [branches.join(', ')])];
    }
    steps.push(`${most[0]} (${most[1]} of ${paths.length})`);
    on = on.filter((path) => path[depth] === most[0]);
  }
}

/** For each node the functions from the outermost to its own. */
function pathsOf({ nodes }: Profile): Map<number, readonly string[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const paths = new Map<number, readonly string[]>();
  const visit = (id: number, outer: readonly string[]): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url, lineNumber } = node.callFrame;
    const path = [...outer, `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`];
    paths.set(id, path);
    for (const child of node.children ?? []) visit(child, path);
  };
  for (const child of nodes[0]?.children ?? []) visit(child, []);
  return paths;
}
