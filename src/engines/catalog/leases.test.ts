import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CatalogEntry, CatalogOp } from '../../ports/catalog.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { openCatalog, type OpenCatalog } from './index.ts';
import { CatalogState } from './model.ts';

const KEY = 'lease/a';
const acquire = (owner: string, ttlMs = 100): CatalogOp => ({ key: KEY, lease: { owner, ttlMs } });
const held = (owner: string, token: bigint, untilMs: number): CatalogEntry => ({
  key: KEY,
  revision: token,
  value: null,
  lease: { owner, untilMs },
});

test('a transcript of a lease, by the log’s clock', () => {
  const state = new CatalogState();
  state.apply(0n, 0, { session: 's', sequence: 1, ops: [], ends: false });
  const absent = undefined;
  const table: readonly (readonly [string, number, readonly CatalogOp[], boolean, CatalogEntry | undefined])[] = [
    ['acquired', 1000, [acquire('one')], true, held('one', 1n, 1100)],
    ['refused while it runs', 1050, [acquire('two')], false, held('one', 1n, 1100)],
    ['renewed under its token', 1060, [acquire('one')], true, held('one', 1n, 1160)],
    ['never shortened', 1061, [acquire('one', 10)], true, held('one', 1n, 1160)],
    ['a clock that steps back ends nothing', 10, [acquire('two')], false, held('one', 1n, 1160)],
    ['and lengthens nothing', 10, [acquire('one', 120)], true, held('one', 1n, 1181)],
    ['its last ms', 1180, [acquire('two')], false, held('one', 1n, 1181)],
    ['over: another token', 1181, [acquire('two')], true, held('two', 8n, 1281)],
    ['the old owner waits like all', 1200, [acquire('one')], false, held('two', 8n, 1281)],
    ['over for its owner as well', 1300, [acquire('two')], true, held('two', 10n, 1400)],
    ['no put without the token', 1301, [{ key: KEY, put: 1 }], false, held('two', 10n, 1400)],
    ['no removal without it', 1301, [{ key: KEY, remove: true }], false, held('two', 10n, 1400)],
    ['nor with an old one', 1301, [{ key: KEY, expect: 8n, remove: true }], false, held('two', 10n, 1400)],
    ['released with it', 1302, [{ key: KEY, expect: 10n, remove: true }], true, absent],
    ['free at once', 1303, [acquire('one')], true, held('one', 15n, 1403)],
    ['over, so any put may', 1403, [{ key: KEY, put: 1 }], true, { key: KEY, revision: 16n, value: 1 }],
    ['a value is no lease', 1404, [acquire('one')], false, { key: KEY, revision: 16n, value: 1 }],
    ['removed', 1405, [{ key: KEY, remove: true }], true, absent],
    ['only if free', 1406, [{ ...acquire('one'), expect: null }], true, held('one', 19n, 1506)],
    ['not free', 1407, [{ ...acquire('one'), expect: null }], false, held('one', 19n, 1506)],
    ['only under this token', 1408, [{ ...acquire('one'), expect: 15n }], false, held('one', 19n, 1506)],
    ['under this token', 1409, [{ ...acquire('one'), expect: 19n }], true, held('one', 19n, 1509)],
    ['a clock that jumps ends it early', 9_999_999, [acquire('two')], true, held('two', 23n, 10_000_099)],
  ];
  for (const [index, [name, at, ops, accepted, after]] of table.entries()) {
    const offset = BigInt(index + 1);
    const outcome = state.apply(offset, at, { session: 's', sequence: index + 2, opened: 0n, ops, ends: false });
    assert.equal(outcome.kind, accepted ? 'accepted' : 'conflicts', name);
    assert.deepEqual(state.entries.get(KEY), after, name);
  }
});

test('what is guarded by a token happens under that token only', () => {
  const state = new CatalogState();
  let sequence = 0;
  const apply = (at: number, ops: readonly CatalogOp[]): string => {
    const opened = sequence === 0 ? {} : { opened: 0n };
    return state.apply(BigInt(sequence), at, { session: 's', sequence: (sequence += 1), ops, ends: false, ...opened })
      .kind;
  };
  const commit = (token: bigint | null, put: number): readonly CatalogOp[] => [
    { key: KEY, expect: token, keep: true },
    { key: 'position', put },
  ];
  assert.equal(apply(0, []), 'accepted');
  assert.equal(apply(0, commit(1n, 1)), 'conflicts', 'nobody has it');
  assert.equal(apply(0, commit(null, 2)), 'accepted', 'and one may say so');
  assert.equal(apply(0, [acquire('one')]), 'accepted');
  assert.equal(apply(50, [acquire('one')]), 'accepted');
  assert.equal(apply(60, commit(3n, 3)), 'accepted', 'a renewal does not fence its owner');
  assert.equal(apply(500, commit(3n, 4)), 'accepted', 'time alone fences nobody either');
  assert.equal(apply(501, [acquire('two')]), 'accepted');
  assert.equal(apply(502, commit(3n, 5)), 'conflicts', 'another owner does');
  assert.equal(apply(503, commit(7n, 6)), 'accepted');
  assert.equal(apply(504, [{ key: KEY, expect: 7n, remove: true }]), 'accepted');
  assert.equal(apply(505, commit(7n, 7)), 'conflicts', 'so does its release');
  assert.deepEqual(state.entries.under(''), [{ key: 'position', revision: 9n, value: 6 }]);
});

interface Step {
  readonly key: string;
  readonly owner: string;
  readonly what: 'acquire' | 'release' | 'commit' | 'copy';
  readonly ttlMs: number;
  /** How the writers' clock moves: also backwards. */
  readonly passed: number;
}

const step = fc.record<Step>({
  key: fc.constantFrom('lease/a', 'lease/b'),
  owner: fc.constantFrom('one', 'two', 'three'),
  what: fc.constantFrom<Step['what'][]>('acquire', 'acquire', 'release', 'commit', 'copy'),
  ttlMs: fc.integer({ min: 1, max: 60 }),
  passed: fc.integer({ min: -40, max: 40 }),
});

/** What an observer of the log's clock knows of one key. */
interface Known {
  readonly owner: string;
  readonly token: bigint;
  readonly untilMs: number;
}

/** Folds steps of three owners, each a session that knows the last token it was given, and checks each outcome. */
class LeaseHistory {
  readonly #state = new CatalogState();
  readonly #tokens = new Map<string, bigint>();
  readonly #known = new Map<string, Known>();
  readonly #highest = new Map<string, bigint>();
  readonly #sequences = new Map<string, { opened: bigint; sequence: number }>();
  readonly #sent: (readonly [session: string, sequence: number, ops: readonly CatalogOp[]])[] = [];
  #offset = 0n;
  #now = 1000;
  #clock = 0;

  take(next: Step): void {
    this.#now += next.passed;
    if (next.what === 'copy') this.#copy(next.ttlMs);
    else this.#send(next);
  }

  #send({ key, owner, what, ttlMs }: Step): void {
    const token = this.#tokens.get(`${owner} ${key}`) ?? 0n;
    if (what === 'acquire') {
      const isFree = !this.#runs(key) || this.#known.get(key)?.owner === owner;
      const { offset, kind } = this.#apply(owner, [{ key, lease: { owner, ttlMs } }], this.#now);
      // The command's own time counts as well.
      const isFreeNow = isFree || !this.#runs(key);
      assert.equal(kind, isFreeNow ? 'accepted' : 'conflicts');
      if (kind === 'accepted') this.#acquired(key, owner, offset);
      return;
    }
    const isCurrent = this.#state.entries.get(key)?.revision === token;
    const release: CatalogOp = { key, expect: token, remove: true };
    const commit: readonly CatalogOp[] = [
      { key, expect: token, keep: true },
      { key: `work/${key}`, put: owner },
    ];
    const { kind } = this.#apply(owner, what === 'release' ? [release] : commit, this.#now);
    assert.equal(kind, isCurrent ? 'accepted' : 'conflicts');
    if (what === 'release' && kind === 'accepted') this.#known.delete(key);
  }

  #acquired(key: string, owner: string, offset: bigint): void {
    const entry = this.#state.entries.get(key);
    const { revision: token, lease } = entry ?? assert.fail('accepted, and nothing stands there');
    assert.equal(lease?.owner, owner);
    const renews = this.#known.get(key)?.owner === owner && this.#runs(key);
    assert.equal(token, renews ? this.#known.get(key)?.token : offset);
    const highest = this.#highest.get(key) ?? 0n;
    assert.ok(renews ? token === highest : token > highest, 'tokens only grow');
    this.#highest.set(key, token);
    this.#tokens.set(`${owner} ${key}`, token);
    this.#known.set(key, { owner, token, untilMs: lease?.untilMs ?? 0 });
  }

  /** A command that came before comes again, from whatever time. */
  #copy(pick: number): void {
    const copied = this.#sent[pick % Math.max(1, this.#sent.length)];
    if (copied === undefined) return;
    const before = this.#state.entries.under('');
    const [session, sequence, ops] = copied;
    const { opened = 0n } = this.#sequences.get(session) ?? {};
    this.#clock = Math.max(this.#clock, this.#now);
    this.#state.apply((this.#offset += 1n), this.#now, { session, sequence, opened, ops, ends: false });
    assert.deepEqual(this.#state.entries.under(''), before, 'a copy changes nothing');
  }

  #apply(session: string, ops: readonly CatalogOp[], at: number): { offset: bigint; kind: string } {
    this.#clock = Math.max(this.#clock, at);
    let known = this.#sequences.get(session);
    if (known === undefined) {
      known = { opened: (this.#offset += 1n), sequence: 1 };
      this.#sequences.set(session, known);
      this.#state.apply(known.opened, at, { session, sequence: 1, ops: [], ends: false });
    }
    known.sequence += 1;
    this.#sent.push([session, known.sequence, ops]);
    const offset = (this.#offset += 1n);
    const { sequence, opened } = known;
    const { kind } = this.#state.apply(offset, at, { session, sequence, opened, ops, ends: false });
    return { offset, kind };
  }

  /** By the log's clock as an observer keeps it: the latest time of any command. */
  #runs(key: string): boolean {
    return (this.#known.get(key)?.untilMs ?? 0) > this.#clock;
  }
}

test('never two owners at one time of the log, tokens only grow, copies and clocks that step back do nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const history = new LeaseHistory();
      for (const next of steps) history.take(next);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

interface Nodes {
  readonly log: MemoryCommandLog;
  readonly one: OpenCatalog;
  readonly two: OpenCatalog;
  /** Moves the log's clock, and that of the first node unless it stands still. */
  readonly pass: (ms: number, mine?: number) => void;
}

async function twoNodes(): Promise<Nodes> {
  const mine = quietEnvironment('one');
  const others = quietEnvironment('two');
  const log = new MemoryCommandLog(others.clock);
  return {
    log,
    one: await openCatalog(log, mine),
    two: await openCatalog(log, others),
    pass(ms, own = ms) {
      others.advance(ms);
      mine.advance(own);
    },
  };
}

test('a holder works, renews and releases; who waits comes next with a larger token', async () => {
  const { one, two, pass } = await twoNodes();
  const first = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  assert.equal(first.leftMs(), 800, 'a fifth is left for clocks that differ');
  assert.equal(await two.hold(KEY, 1000), undefined);
  pass(500);
  assert.equal(first.leftMs(), 300);
  assert.ok(await first.renew());
  assert.equal(first.leftMs(), 800);
  pass(700);
  assert.equal(await two.hold(KEY, 1000), undefined, 'the renewal counts');
  const work = await one.propose([first.guard, { key: 'work', put: 1 }]);
  assert.ok(work.accepted);
  await first.release();
  assert.equal(first.leftMs(), 0);
  assert.equal(await first.renew(), false);
  const second = (await two.hold(KEY, 1000)) ?? assert.fail('released, and not free');
  assert.ok(second.token > first.token);
  await first.release();
  assert.equal(two.get(KEY)?.revision, second.token, 'a second release harms nobody');
  assert.deepEqual(await one.propose([first.guard, { key: 'work', put: 2 }]), { accepted: false, conflicts: [KEY] });
  assert.ok((await two.propose([second.guard, { key: 'work', put: 3 }])).accepted);
  await Promise.all([one.close(), two.close()]);
});

test('a holder that slept too long stops by its own clock, before the log gives the lease away', async () => {
  const { one, two, pass } = await twoNodes();
  const first = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  pass(800);
  assert.equal(first.leftMs(), 0);
  assert.equal(await two.hold(KEY, 1000), undefined, 'the log still keeps it for its holder');
  pass(200);
  const second = (await two.hold(KEY, 1000)) ?? assert.fail('over, and not free');
  assert.equal(await first.renew(), false);
  assert.deepEqual(await one.propose([first.guard]), { accepted: false, conflicts: [KEY] });
  assert.ok(second.leftMs() > 0);
  await Promise.all([one.close(), two.close()]);
});

test('a lease that came to its end is lost, also if nobody took it', async () => {
  const { one, two, pass } = await twoNodes();
  const first = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  // The log's clock jumps, the holder's does not.
  pass(5000, 0);
  assert.equal(first.leftMs(), 800);
  assert.equal(await first.renew(), false, 'what was acquired anew has a token nobody works under');
  assert.equal(first.leftMs(), 0);
  assert.ok(await two.hold(KEY, 1000), 'and is given up at once');
  await Promise.all([one.close(), two.close()]);
});

test('the time of a lease counts from before it was asked for', async () => {
  const { log, one, two, pass } = await twoNodes();
  await one.propose([{ key: 'opens the session', put: 1 }]);
  const append = log.append.bind(log);
  log.append = async (commands) => {
    log.append = append;
    // On its way for 300 ms.
    pass(300);
    await append(commands);
  };
  const first = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  assert.equal(first.leftMs(), 500);
  await Promise.all([one.close(), two.close()]);
});

test('two lives of one node are two owners', async () => {
  const { log, one, two } = await twoNodes();
  const before = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  assert.equal(await one.hold(KEY, 1000), undefined, 'not even within one life');
  await one.close();
  const again = await openCatalog(log, quietEnvironment('again'));
  assert.equal(await again.hold(KEY, 1000), undefined);
  assert.equal(again.get(KEY)?.revision, before.token);
  await Promise.all([two.close(), again.close()]);
});

test('a lease survives snapshots, and its changes are told', async () => {
  const { log, one, two, pass } = await twoNodes();
  const seen: unknown[] = [];
  two.watch('lease/', (key) => seen.push(two.get(key)?.lease?.untilMs));
  const first = (await one.hold(KEY, 1000)) ?? assert.fail('not free');
  const { untilMs = 0 } = one.get(KEY)?.lease ?? {};
  pass(100);
  await first.renew();
  await two.sync();
  assert.deepEqual(seen, [untilMs, untilMs + 100]);
  await Promise.all([one.close(), two.close()]);
  assert.ok(log.snapshots.length > 0);
  const later = await openCatalog(log, quietEnvironment('later'));
  assert.deepEqual(later.get(KEY), held('one-1', first.token, untilMs + 100));
  await later.close();
});

test('a lease nobody may ask for is a mistake of ours', async () => {
  const { one, two } = await twoNodes();
  const requests = [
    { owner: '', ttlMs: 1 },
    { owner: 'x'.repeat(257), ttlMs: 1 },
    { owner: 'a', ttlMs: 0 },
    { owner: 'a', ttlMs: 1.5 },
    { owner: 'a', ttlMs: 86_400_001 },
    { owner: 'a', ttlMs: Infinity },
  ];
  for (const lease of requests) await assert.rejects(one.propose([{ key: KEY, lease }]), { name: 'Defect' });
  assert.ok((await one.propose([{ key: KEY, lease: { owner: 'x'.repeat(256), ttlMs: 86_400_000 } }])).accepted);
  await Promise.all([one.close(), two.close()]);
});
