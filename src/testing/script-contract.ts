import assert from 'node:assert/strict';
import test from 'node:test';
import { EnvironmentError } from '../kernel/errors.ts';
import type { Json } from '../kernel/json.ts';
import type { ScriptRuntime } from '../ports/script.ts';
import type { PlainScript } from './table-scripts.ts';

type Values = Readonly<Record<string, Json>>;

const DOUBLE = 'return { twice: value.number * 2 };';
const LENGTH = 'return value.length + value[value.length - 1];';
const NOTHING = 'value.number += 1;';
const PICKY = "if (value.number === 3) throw new Error('not three'); return value.number;";
const BROKEN = 'return {';

/** The contract's scripts with what they mean, for runtimes that cannot read them. */
export const CONTRACT_SCRIPTS: ReadonlyMap<string, PlainScript> = new Map<string, PlainScript>([
  [DOUBLE, (value) => ({ twice: Number((value as Values)['number']) * 2 })],
  [LENGTH, (value) => (value as readonly number[]).length + ((value as readonly number[]).at(-1) ?? 0)],
  [NOTHING, () => undefined],
  [
    PICKY,
    (value) => {
      const number = (value as Values)['number'];
      if (number === 3) throw new Error('not three');
      return number;
    },
  ],
]);

type Case = readonly [what: string, body: (runtime: ScriptRuntime) => Promise<void>];

const numbered = (count: number): string[][] =>
  Array.from({ length: count }, (_, number) => [JSON.stringify({ number })]);
const open = (runtime: ScriptRuntime, text: string): ReturnType<ScriptRuntime['open']> =>
  runtime.open({ name: 'a.js', text, parameters: ['value'] });

const CASES: readonly Case[] = [
  [
    'outcomes stand in the order of their calls, however many there are',
    async (runtime) => {
      const outcomes = await open(runtime, DOUBLE).call(numbered(450));
      assert.deepEqual(
        outcomes.map(({ json }) => json),
        Array.from({ length: 450 }, (_, number) => `{"twice":${number * 2}}`),
      );
      assert.deepEqual(outcomes[0], { json: '{"twice":0}', printed: [] });
    },
  ],
  ['no calls, no outcomes', async (runtime) => assert.deepEqual(await open(runtime, DOUBLE).call([]), [])],
  [
    'bytes are an array of numbers',
    async (runtime) => {
      const [outcome] = await open(runtime, LENGTH).call([[new Uint8Array([0, 127, 255])]]);
      assert.equal(outcome?.json, '258');
    },
  ],
  [
    'a call that fails leaves the others alone',
    async (runtime) => {
      const outcomes = await open(runtime, PICKY).call(numbered(6));
      const seen = outcomes.map(({ json, failure }) => json ?? failure?.kind);
      assert.deepEqual(seen, ['0', '1', '2', 'error', '4', '5']);
      assert.match(outcomes[3]?.failure?.message ?? '', /not three/);
    },
  ],
  [
    'nothing returned is a failure',
    async (runtime) => {
      const [outcome] = await open(runtime, NOTHING).call(numbered(1));
      assert.deepEqual(outcome, { failure: { kind: 'result', message: 'returned nothing' }, printed: [] });
    },
  ],
  [
    'a text that is no script has a problem, and fails each call',
    async (runtime) => {
      const broken = open(runtime, BROKEN);
      assert.equal((await broken.problem())?.kind, 'syntax');
      const kinds = (await broken.call(numbered(2))).map(({ failure }) => failure?.kind);
      assert.deepEqual(kinds, ['syntax', 'syntax']);
      assert.equal(await open(runtime, DOUBLE).problem(), undefined);
    },
  ],
  [
    'many scripts at once',
    async (runtime) => {
      const texts = [DOUBLE, PICKY, DOUBLE, PICKY];
      const all = await Promise.all(texts.map(async (text) => await open(runtime, text).call(numbered(3))));
      assert.deepEqual(
        all.map((outcomes) => outcomes[2]?.json),
        ['{"twice":4}', '2', '{"twice":4}', '2'],
      );
    },
  ],
  [
    'once closed it takes no calls',
    async (runtime) => {
      const script = open(runtime, DOUBLE);
      await script.call(numbered(1));
      await runtime.close();
      await assert.rejects(script.call(numbered(1)), EnvironmentError);
      await runtime.close();
    },
  ],
];

/** What every runtime of scripts keeps. */
export function scriptContract(name: string, make: () => ScriptRuntime): void {
  for (const [what, body] of CASES) {
    test(`${name}: ${what}`, async () => {
      const runtime = make();
      try {
        await body(runtime);
      } finally {
        await runtime.close();
      }
    });
  }
}
