import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MissedDeliveries } from './missed-deliveries.ts';
import { bodyOf, readAttempts, readDelivery, type Attempt } from './read-delivery.ts';

/** Attempts as a list has them, newest first: `guid`, `guid+` for one that was taken, `guid!` for a redelivery. */
function attempts(text: string): readonly Attempt[] {
  const words = text.split(' ').filter(Boolean);
  return words.map((word, index) => ({
    id: String(words.length - index),
    guid: word.replace(/[+!]/g, ''),
    event: 'push',
    deliveredAt: words.length - index,
    isRedelivery: word.includes('!'),
    isTaken: word.includes('+'),
  }));
}

test('what is missed, of lists that come newest first', () => {
  const rows: readonly (readonly [list: string, missed: string, isPartial?: boolean])[] = [
    ['', ''],
    ['c b a', 'a b c'],
    ['c+ b a+', 'b'],
    ['a!+ b a', 'b'],
    ['a! b+ a+', ''],
    ['a! b a', 'a b'],
    ['a!+ a! b a', 'b'],
    ['e d c b a', 'a b c', true],
    ['e d+ c b+ a', 'a c e'],
  ];
  for (const [list, missed, isPartial = false] of rows) {
    const found = new MissedDeliveries(3);
    found.add(attempts(list));
    assert.equal(
      found
        .oldestFirst()
        .map(({ guid }) => guid)
        .join(' '),
      missed,
      list,
    );
    assert.equal(found.isPartial, isPartial, list);
    assert.equal(found.newestAt, list === '' ? undefined : list.split(' ').length);
    assert.equal(found.oldestAt, list === '' ? undefined : 1);
  }
});

/** Does work to its end. */
function whole<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}

test('a list of attempts, and what is none', () => {
  const entry =
    '{"id":9007199254740993001,"guid":"g","delivered_at":"2026-03-14T09:26:53Z","redelivery":true,"status_code":202,"event":"push"}';
  const deliveredAt = Date.parse('2026-03-14T09:26:53Z');
  const attempt = {
    id: '9007199254740993001',
    guid: 'g',
    event: 'push',
    deliveredAt,
    isRedelivery: true,
    isTaken: true,
  };
  const rows: readonly (readonly [text: string, found: readonly unknown[] | undefined])[] = [
    ['[]', []],
    [` [ ${entry} ] `, [attempt]],
    [
      '[{"id":1,"guid":"g","delivered_at":"2026-03-14T09:26:53.000Z"}]',
      [{ ...attempt, id: '1', event: '', isRedelivery: false, isTaken: false }],
    ],
    [
      '[1,null,[],{"id":1},{"id":"../x","guid":"g","delivered_at":"2026-03-14T09:26:53Z"},{"id":1,"guid":"","delivered_at":"x"}]',
      [],
    ],
    ['{}', undefined],
    ['', undefined],
    [entry.slice(1), undefined],
  ];
  for (const [text, found] of rows) assert.deepEqual(whole(readAttempts(Buffer.from(text))), found, text);
});

test('a delivery, and what is none', () => {
  const payload = (text: string): string | undefined => {
    const sent = whole(readDelivery(Buffer.from(text)));
    return sent?.payload === undefined ? undefined : Buffer.from(sent.payload).toString();
  };
  assert.equal(payload('{"id":1,"request":{"headers":{"A":"b"},"payload": {"n": 1.0} }}'), '{"n": 1.0}');
  assert.equal(payload('{"request":{"headers":{},"payload":"{\\"n\\":1}"}}'), '{"n":1}');
  assert.equal(payload('{"request":{"headers":{},"payload":null}}'), undefined);
  const { headers, url } = whole(readDelivery(Buffer.from('{"url":"u","request":{"headers":{"A":"b","C":7}}}'))) ?? {};
  assert.deepEqual([headers, url], [[['A', 'b']], 'u']);
  for (const text of ['', '[]', '{}', '{"request":null}', '{"request":{"headers":{}']) {
    assert.equal(whole(readDelivery(Buffer.from(text))), undefined, text);
  }
});

test('a body is what the hook’s content type makes of the JSON', () => {
  const json = Buffer.from('{"a":"b c"}');
  assert.equal(bodyOf(json, 'application/json; charset=utf-8'), json);
  const form = bodyOf(json, 'application/x-www-form-urlencoded');
  assert.equal(Buffer.from(form).toString(), 'payload=%7B%22a%22%3A%22b+c%22%7D');
});
