import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CatalogEntry, CatalogOp, Revision, Verdict } from '../../ports/catalog.ts';
import { MemoryCommandLog, type CommandFault } from '../../testing/memory-command-log.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { decodeCommand, type Command } from './command.ts';
import { openCatalog, type OpenCatalog } from './index.ts';
import { CatalogState } from './model.ts';

/** A command whose references are places in the row of originals, not offsets: copies in between move those. */
interface Original {
  readonly session: number;
  readonly ops: readonly {
    readonly key: string;
    /** Place of the command that wrote what is expected; absent: no expectation. */
    readonly expect?: number | null;
    readonly what: 'put' | 'remove' | 'lease' | 'keep';
  }[];
  readonly ends: boolean;
}

const op = fc.record(
  {
    key: fc.constantFrom('a', 'b', 'c'),
    expect: fc.oneof(fc.constant(null), fc.nat(30)),
    what: fc.constantFrom('put' as const, 'put' as const, 'remove' as const, 'lease' as const, 'keep' as const),
  },
  { requiredKeys: ['key', 'what'] },
);
const originals = fc.array(
  fc.record({
    session: fc.nat(2),
    ops: fc.array(op, { maxLength: 3 }),
    ends: fc.nat(7).map((dice) => dice === 0),
  }),
  { minLength: 1, maxLength: 30 },
);
/** After which original, which row of earlier ones comes again, as whole batches do. */
const copies = fc.array(fc.record({ after: fc.nat(40), from: fc.nat(40), count: fc.integer({ min: 1, max: 12 }) }), {
  maxLength: 12,
});

/** One log with copies of its own commands in it; `copies` none: the log as it was meant. */
class LogWithCopies {
  readonly state = new CatalogState();
  readonly outcomes: string[] = [];
  /** Offset of each original. */
  readonly #offsets: bigint[] = [];
  readonly #commands: Command[] = [];
  readonly #live = new Map<number, { readonly id: string; readonly opened: bigint; sequence: number }>();
  #names = 0;

  write(row: readonly Original[], again: readonly { after: number; from: number; count: number }[]): void {
    for (const [index, original] of row.entries()) {
      this.#write(original);
      for (const { after, from, count } of again) {
        if (after % row.length === index) this.#copy(from, count);
      }
    }
  }

  /** What stands there, with the place of an original in the place of its offset. */
  entries(): unknown[] {
    return this.state.entries
      .under('')
      .map((entry: CatalogEntry) => ({ ...entry, revision: this.#offsets.indexOf(entry.revision) }));
  }

  /** Sessions that still write, without those that only copies of an opening began. */
  sessions(): unknown[] {
    const live = new Set([...this.#live.values()].map(({ id }) => id));
    return [...this.state.sessions]
      .filter(([id]) => live.has(id))
      .map(([id, session]) => [id, { ...session, opened: this.#offsets.indexOf(session.opened) }]);
  }

  #write({ session, ops, ends }: Original): void {
    const known = this.#live.get(session) ?? this.#open(session);
    known.sequence += 1;
    const { id, opened, sequence } = known;
    this.#place({ session: id, sequence, opened, ops: ops.map((one) => this.#op(one)), ends });
    if (ends) this.#live.delete(session);
  }

  #open(session: number): { readonly id: string; readonly opened: bigint; sequence: number } {
    const id = `session-${(this.#names += 1)}`;
    const opened = this.state.next;
    this.#place({ session: id, sequence: 1, ops: [], ends: false });
    const known = { id, opened, sequence: 1 };
    this.#live.set(session, known);
    return known;
  }

  #op({ key, expect, what }: Original['ops'][number]): CatalogOp {
    // A place that is still to come has no offset yet: one that nobody ever has will do.
    const revision = expect === undefined || expect === null ? expect : (this.#offsets[expect] ?? 1_000_000n);
    if (what === 'keep') return { key, expect: revision ?? null, keep: true };
    const head = { key, ...(revision === undefined ? {} : { expect: revision }) };
    if (what === 'remove') return { ...head, remove: true };
    if (what === 'lease') return { ...head, lease: { owner: `owner-${this.#commands.length % 2}`, ttlMs: 3 } };
    return { ...head, put: this.#commands.length };
  }

  #place(command: Command): void {
    const { next } = this.state;
    this.#offsets.push(next);
    this.#commands.push(command);
    this.outcomes.push(this.state.apply(next, this.#commands.length, command).kind);
  }

  #copy(from: number, count: number): void {
    for (const command of this.#commands.slice(from % this.#commands.length).slice(0, count)) {
      const { kind } = this.state.apply(this.state.next, this.#commands.length, command);
      const isOpening = command.sequence === 1;
      assert.ok(kind === 'duplicate' || kind === 'expired' || (isOpening && kind === 'accepted'), kind);
    }
  }
}

test('copies of commands, at any later place and in any number, leave the state that there is without them', () => {
  fc.assert(
    fc.property(originals, copies, (row, again) => {
      const meant = new LogWithCopies();
      meant.write(row, []);
      const copied = new LogWithCopies();
      copied.write(row, again);
      assert.deepEqual(copied.outcomes, meant.outcomes);
      assert.deepEqual(copied.entries(), meant.entries());
      assert.deepEqual(copied.sessions(), meant.sessions());
      assert.equal(copied.state.clock, meant.state.clock);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

/** A log that repeats whole batches later, once or more, and sometimes does not answer. */
class RepeatingLog extends MemoryCommandLog {
  readonly #batches: (readonly Uint8Array[])[] = [];
  readonly #dice: (below: number) => number;

  constructor(clock: ConstructorParameters<typeof MemoryCommandLog>[0], dice: (below: number) => number) {
    super(clock);
    this.#dice = dice;
    const faults: readonly CommandFault[] = ['unanswered', 'doubled', 'lost', undefined, undefined, undefined];
    this.fault = () => faults[dice(faults.length)];
  }

  override async append(commands: readonly Uint8Array[]): Promise<void> {
    await super.append(commands);
    this.#batches.push(commands);
    while (this.#dice(3) === 0) this.place(this.#batches[this.#dice(this.#batches.length)] ?? []);
  }
}

interface Asked {
  readonly node: number;
  readonly key: string;
  readonly what: 'put' | 'remove' | 'lease' | 'move';
  readonly passed: number;
}

const asked = fc.record<Asked>({
  node: fc.nat(1),
  key: fc.constantFrom('a', 'b', 'lease/c'),
  what: fc.constantFrom('put' as const, 'remove' as const, 'lease' as const, 'move' as const),
  passed: fc.nat(3),
});

/** Two nodes ask one after the other; what they are answered and what stands there at the end, without offsets. */
async function answers(log: MemoryCommandLog, clock: QuietEnvironment, row: readonly Asked[]): Promise<string> {
  const nodes = [await openCatalog(log, quietEnvironment('one')), await openCatalog(log, quietEnvironment('two'))];
  const told: unknown[] = [];
  const revisions: Revision[] = [];
  for (const [index, { node, key, what, passed }] of row.entries()) {
    clock.advance(passed);
    const catalog = nodes[node] as OpenCatalog;
    await catalog.sync();
    const verdict: Verdict = await catalog.propose([opFor(catalog, key, what, index)]);
    if (verdict.accepted) revisions.push(verdict.revision);
    told.push(verdict.accepted);
  }
  const [one, two] = nodes as [OpenCatalog, OpenCatalog];
  await Promise.all([one.sync(), two.sync()]);
  assert.deepEqual(one.list(''), two.list(''));
  for (const { key, value, revision, lease } of one.list(''))
    told.push([key, value, lease, revisions.indexOf(revision)]);
  assert.equal(new Set(revisions).size, revisions.length, 'one winner for each revision');
  await Promise.all([one.close(), two.close()]);
  return JSON.stringify(told);
}

function opFor(catalog: OpenCatalog, key: string, what: Asked['what'], index: number): CatalogOp {
  if (what === 'put') return { key, put: index };
  if (what === 'remove') return { key, remove: true };
  if (what === 'lease') return { key, lease: { owner: `owner-${index % 2}`, ttlMs: 5 } };
  return { key, expect: catalog.get(key)?.revision ?? null, put: `moved ${index}` };
}

test('two nodes over a log that doubles, repeats and keeps answers to itself are told what they would be told without', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { maxLength: 25 }), fc.integer({ min: 1, max: 1e9 }), async (row, seed) => {
      const clock = quietEnvironment('clock');
      const plain = await answers(new MemoryCommandLog(clock.clock), clock, row);
      const again = quietEnvironment('clock');
      const repeating = new RepeatingLog(again.clock, dice(seed));
      assert.equal(await answers(repeating, again, row), plain);
      const commands = repeating.commands().map(({ bytes }) => decodeCommand(bytes));
      const names = commands.map(({ session, sequence }) => `${session}/${sequence}`);
      repeated += names.length - new Set(names).size;
    }),
    { seed: 1, numRuns: 60 },
  );
  assert.ok(repeated > 200, `only ${repeated} copies`);
});

let repeated = 0;

/** Numbers by a fixed sequence that looks like chance. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
