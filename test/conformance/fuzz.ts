import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { validBodies } from './malformed-inputs.ts';
import { ok, signed, type Answer, type Subject } from './subject.ts';

const BODIES = 2000;
const WEBHOOKS = 300;
const LIVES = 600;
const AT_ONCE = 8;
const SEED = Number(process.env['CONFORMANCE_SEED'] ?? Date.now() % 2 ** 31);

/** What replaces a value now and then. */
const HOSTILE: readonly string[] = [
  'null',
  'true',
  '""',
  '"x"',
  '[]',
  '{}',
  '[null]',
  '{"":{}}',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e400',
  '-1e400',
  '1e21',
  '2147483648',
  '9007199254740993',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '{"__proto__":null}',
  '"Infinity"',
  '"340282366920938463463374607431768211456"',
  `"${'9'.repeat(129)}"`,
  `"${'流'.repeat(300)}"`,
  '"YQ==="',
];
const CHARACTERS = '{}[]":,\\0123456789-+.eEnulltruefals \n\u0000\u007fü流AZ=/';

/** Mulberry32: the same seed, the same numbers. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  of<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    assert.ok(choice !== undefined);
    return choice;
  }
}

type Mutation = (text: string, chance: Chance) => string;

/** A place of the text, and one not far behind it. */
function span(text: string, chance: Chance): readonly [from: number, to: number] {
  const from = chance.below(text.length + 1);
  return [from, Math.min(text.length, from + chance.below(12))];
}

function scalars(text: string): RegExpExecArray[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+(?:\.\d+)?|true|false|null|\[[^[\]]*\]/g)];
}

const MUTATIONS: readonly Mutation[] = [
  function valueBecomesHostile(text, chance) {
    const found = scalars(text);
    if (found.length === 0) return text;
    const { 0: value, index } = chance.of(found);
    return text.slice(0, index) + chance.of(HOSTILE) + text.slice(index + value.length);
  },
  function characterChanges(text, chance) {
    const at = chance.below(text.length + 1);
    return text.slice(0, at) + CHARACTERS.charAt(chance.below(CHARACTERS.length)) + text.slice(at + 1);
  },
  function pieceGoes(text, chance) {
    const [from, to] = span(text, chance);
    return text.slice(0, from) + text.slice(to);
  },
  function pieceComesTwice(text, chance) {
    const [from, to] = span(text, chance);
    return text.slice(0, to) + text.slice(from);
  },
  function piecesOfAnother(text, chance) {
    const [from, to] = span(text, chance);
    const [, other] = chance.of(validBodies());
    const [start, end] = span(other, chance);
    return text.slice(0, from) + other.slice(start, end) + text.slice(to);
  },
  function end(text, chance) {
    return text.slice(0, chance.below(text.length));
  },
];

function mutated(text: string, chance: Chance): string {
  let changed = text;
  for (let count = chance.of([1, 1, 1, 2, 3]); count > 0; count -= 1) {
    // Broken JSON is refused early: most mutations keep it whole.
    const mutation = chance.next() < 0.7 ? MUTATIONS[0] : chance.of(MUTATIONS);
    changed = mutation?.(changed, chance) ?? changed;
  }
  return changed;
}

/** Valid bodies changed at random: anything but a 500. CONFORMANCE_SEED replays a run. */
export function fuzzConformance(subject: Subject): void {
  describe(`mutations, CONFORMANCE_SEED=${SEED}`, () => {
    test(`${BODIES} bodies of all actions`, async (context) => context.diagnostic(await fuzzActions(subject)));
    test(`${LIVES} calls around a stream that comes and goes`, async (context) => {
      context.diagnostic(await fuzzLives(subject));
    });
    test(`${WEBHOOKS} webhooks`, async (context) => {
      if (subject.gateway === '') context.skip('CONFORMANCE_GATEWAY names no gateway');
      else context.diagnostic(await fuzzWebhooks(subject));
    });
  });
}

/** Runs `count` requests, a few at once, and counts their statuses. */
async function storm(count: number, send: () => Promise<{ sent: string; answer: Answer }>): Promise<string> {
  const statuses = new Map<number, number>();
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { sent, answer } = await send();
      assert.ok(answer.status < 500, `seed ${SEED}: ${sent}: ${answer.status} ${answer.text}`);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return `seed ${SEED}: ${[...statuses].map(([status, times]) => `${status} x ${times}`).join(', ')}`;
}

async function fuzzActions(subject: Subject): Promise<string> {
  const chance = new Chance(SEED);
  const rests = new Rests();
  const valid = [...validBodies(), ...(await streamBodies(subject))];
  const result = await storm(BODIES, async () => {
    const [target, body] = chance.of(valid);
    const text = mutated(body, chance);
    const answer = await subject.post(target, text);
    rests.note(target, text, answer);
    return { sent: `${target} ${text}`, answer };
  });
  await rests.remove(subject);
  return result;
}

/** The same without mutations: everything is valid, but the stream may just have gone. */
async function fuzzLives(subject: Subject): Promise<string> {
  const chance = new Chance(SEED + 2);
  const valid = await streamBodies(subject);
  const result = await storm(LIVES, async () => {
    const [target, body] = chance.of(valid);
    return { sent: `${target} ${body}`, answer: await subject.post(target, body) };
  });
  await subject.kinesis('DeleteStream', { StreamName: subject.name('fuzz') });
  return result;
}

/** What mutated names made: a foreign node is to be left as it was. */
class Rests {
  readonly #made: (readonly [kind: 'kinesis' | 'firehose', action: string, input: object])[] = [];

  note(target: string, text: string, { status }: Answer): void {
    if (status !== 200 || !target.includes('.Create')) return;
    const { StreamName, DeliveryStreamName } = JSON.parse(text) as Readonly<Record<string, string>>;
    if (StreamName !== undefined) this.#made.push(['kinesis', 'DeleteStream', { StreamName }]);
    else this.#made.push(['firehose', 'DeleteDeliveryStream', { DeliveryStreamName }]);
  }

  async remove(subject: Subject): Promise<void> {
    this.#made.push(['kinesis', 'DeleteStream', { StreamName: subject.name('fuzz') }]);
    for (const [kind, action, input] of this.#made) await subject[kind](action, input);
  }
}

/** More valid bodies, around a stream of the fuzz's own that comes and goes, and around real tokens. */
async function streamBodies(subject: Subject): Promise<(readonly [string, string])[]> {
  const StreamName = subject.name('fuzz');
  await ok(subject.kinesis('CreateStream', { StreamName, ShardCount: 2 }));
  const place = { StreamName, ShardId: 'shardId-000000000000' };
  const start = { ...place, ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
  const { NextToken } = await ok(subject.kinesis('ListShards', { StreamName, MaxResults: 1 }));
  const record = { Data: 'YWJj', PartitionKey: 'a', ExplicitHashKey: '1' };
  const { SequenceNumber } = await ok(subject.kinesis('PutRecord', { StreamName, ...record }));
  const after = { ...place, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: SequenceNumber };
  const inputs: readonly (readonly [string, object])[] = [
    ['CreateStream', { StreamName, ShardCount: 2 }],
    ['CreateStream', { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }],
    ['DeleteStream', { StreamName }],
    ['GetRecords', { ShardIterator, Limit: 10 }],
    ['GetShardIterator', after],
    ['GetShardIterator', { ...place, ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1.5 }],
    ['ListShards', { NextToken }],
    ['ListShards', { StreamName, ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp: 1.5 } }],
    ['PutRecord', { StreamName, ...record, SequenceNumberForOrdering: SequenceNumber }],
    ['PutRecords', { StreamName, Records: [record, record, { ...record, ExplicitHashKey: '9'.repeat(38) }] }],
  ];
  return inputs.map(([action, input]) => [`Kinesis_20131202.${action}`, JSON.stringify(input)] as const);
}

async function fuzzWebhooks(subject: Subject): Promise<string> {
  const chance = new Chance(SEED + 1);
  const body = '{"action":"created","starred_at":"2026-01-01T00:00:00Z","repository":{"id":1}}';
  return await storm(WEBHOOKS, async () => {
    const text = mutated(body, chance);
    const isSigned = chance.next() < 0.5;
    const id = mutated(subject.name('fuzzed'), chance).replaceAll(/[^\x20-\x7e]/g, '');
    const signature = isSigned ? signed(text) : mutated(signed(text), chance).replaceAll(/[^\x20-\x7e]/g, '');
    const answer = await subject.hook(id, text, { 'x-hub-signature-256': signature });
    if (signature.trim() !== signed(text)) assert.equal(answer.status, 401, `seed ${SEED}: ${signature}`);
    return { sent: `${id} ${signature} ${text}`, answer };
  });
}
