/** What a worker told in one line. */
export interface Told {
  readonly worker: string;
  readonly event: 'START' | 'RECORD' | 'CHECKPOINT' | 'LOST' | 'END' | 'PROBLEM';
  readonly atMs: number;
  readonly shard: string;
  /** START and CHECKPOINT: a sequence number; RECORD: sequence:sub-sequence, a blank and the data; PROBLEM: a text. */
  readonly rest: string;
}

/** A record as its put was answered. */
export interface Stored {
  readonly shard: string;
  readonly sequenceNumber: string;
}

/** One shard in the hands of one worker. */
interface Run {
  readonly worker: string;
  readonly shard: string;
  readonly startedMs: number;
  readonly from: bigint;
  readonly records: { readonly sequence: bigint; readonly data: string; readonly atMs: number }[];
}

const PROBLEMS_MAX = 10;
const EVENTS = new Set(['START', 'RECORD', 'CHECKPOINT', 'LOST', 'END', 'PROBLEM']);

/** Reads one line of a worker; undefined when it is not of the transcript. */
export function parseTold(worker: string, line: string): Told | undefined {
  const [event = '', at = '', shard = '', ...rest] = line.split(' ');
  if (!EVENTS.has(event)) return undefined;
  return { worker, event: event as Told['event'], atMs: Number(at), shard, rest: rest.join(' ') };
}

/**
 * What is wrong with how the workers of one application went through a stream: empty when each run begins at the
 * newest checkpoint and goes through its shard in order without a hole, children begin after their parents ended, and
 * no record was left out.
 */
export function judge(
  told: readonly Told[],
  stored: ReadonlyMap<string, Stored>,
  parents: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const ordered = told.toSorted((a, b) => a.atMs - b.atMs);
  const problems = ordered.filter(({ event }) => event === 'PROBLEM').map(({ shard, rest }) => `${shard}: ${rest}`);
  const runs = runsOf(ordered, problems);
  const shards = sequencesOf(stored);
  for (const run of runs) problems.push(...checkRun(run, shards.get(run.shard) ?? new Map()));
  problems.push(...checkParents(runs, ordered, parents));
  const seen = new Set(runs.flatMap(({ records }) => records.map(({ data }) => data)));
  for (const data of stored.keys()) if (!seen.has(data)) problems.push(`record ${data} was not processed`);
  return problems.slice(0, PROBLEMS_MAX);
}

/** Sequence number to data, in order, for each shard. */
function sequencesOf(stored: ReadonlyMap<string, Stored>): Map<string, Map<bigint, string>> {
  const shards = new Map<string, Map<bigint, string>>();
  const ordered = [...stored]
    .map(([data, { shard, sequenceNumber }]) => ({ data, shard, sequence: BigInt(sequenceNumber) }))
    .sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
  for (const { data, shard, sequence } of ordered) {
    const sequences = shards.get(shard) ?? new Map<bigint, string>();
    shards.set(shard, sequences.set(sequence, data));
  }
  return shards;
}

function runsOf(ordered: readonly Told[], problems: string[]): Run[] {
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  const checkpoints = new Map<string, bigint>();
  for (const { worker, event, atMs, shard, rest } of ordered) {
    const key = `${worker} ${shard}`;
    const run = open.get(key);
    if (event === 'START') {
      const from = positionOf(rest);
      const newest = checkpoints.get(shard) ?? 0n;
      if (from < newest) problems.push(`${key} began at ${from}, before the checkpoint ${newest}`);
      const next: Run = { worker, shard, startedMs: atMs, from, records: [] };
      runs.push(next);
      open.set(key, next);
    } else if (event === 'RECORD') {
      const [sequence = '', data = ''] = rest.split(' ');
      if (run === undefined) problems.push(`${key} was given ${data} before its start`);
      else run.records.push({ sequence: BigInt(sequence.split(':')[0] ?? ''), data, atMs });
    } else if (event === 'CHECKPOINT') checkpoints.set(shard, BigInt(rest));
  }
  return runs;
}

function positionOf(text: string): bigint {
  return text === 'TRIM_HORIZON' ? 0n : BigInt(text);
}

/** The records of a run are those of its shard, from where it began, none left out. */
function checkRun({ worker, shard, from, records }: Run, sequences: ReadonlyMap<bigint, string>): readonly string[] {
  const due = [...sequences].filter(([sequence]) => sequence > from);
  for (const [index, { sequence, data }] of records.entries()) {
    const [expected, expectedData] = due[index] ?? [];
    if (sequence === expected && data === expectedData) continue;
    return [`${worker} ${shard}: ${data} at ${sequence} where ${expectedData} at ${expected} was due`];
  }
  return [];
}

function checkParents(
  runs: readonly Run[],
  ordered: readonly Told[],
  parents: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const problems: string[] = [];
  for (const { shard, startedMs } of runs) {
    for (const parent of parents.get(shard) ?? []) {
      const end = ordered.find(({ event, shard: ended }) => event === 'END' && ended === parent);
      if (end === undefined || end.atMs > startedMs) problems.push(`${shard} began before ${parent} had ended`);
      const late = runs.find((run) => run.shard === parent && run.records.some(({ atMs }) => atMs > startedMs));
      if (late !== undefined) problems.push(`${parent} gave records after ${shard} had begun`);
    }
  }
  return problems;
}
