import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as assertProperty, json, property } from 'fast-check';
import { jsonChildren, jsonTextAt } from './json-children.ts';

/** Names and values as text, read one by one. */
function childrenOf(text: string): (readonly [string | undefined, string])[] {
  const bytes = Buffer.from(text);
  const found: (readonly [string | undefined, string])[] = [];
  for (const child of jsonChildren(bytes, text.search(/[[{]/))) {
    if (child !== undefined) found.push([child.name, bytes.subarray(child.at, child.end).toString()]);
  }
  return found;
}

test('children of lists and objects', () => {
  const table: readonly (readonly [string, readonly (readonly [string | undefined, string])[]])[] = [
    ['[]', []],
    [' { } ', []],
    ['[1, "a" ,[2,{"b":3}] , null]', ['1', '"a"', '[2,{"b":3}]', 'null'].map((value) => [undefined, value] as const)],
    [
      '{"a" : 1, "\\u0062":"\\"]}", "c":{"a":[","]},"a":2}',
      [
        ['a', '1'],
        ['b', '"\\"]}"'],
        ['c', '{"a":[","]}'],
        ['a', '2'],
      ],
    ],
    [`{"${'n'.repeat(600)}":1}`, [[undefined, '1']]],
  ];
  for (const [text, expected] of table) assert.deepEqual(childrenOf(text), expected, text);
});

test('they are those that JSON.parse finds', () => {
  assertProperty(
    property(json(), (text) => {
      const whole = JSON.parse(text) as unknown;
      if (typeof whole !== 'object' || whole === null) return;
      const found = childrenOf(text).map(([name, value]) => [name, JSON.parse(value) as unknown] as const);
      if (Array.isArray(whole))
        assert.deepEqual(
          found.map(([, value]) => value),
          whole,
        );
      else assert.deepEqual(Object.fromEntries(found), whole);
    }),
  );
});

test('it stops after each 64 KiB, wherever that is', () => {
  for (const unit of ['"', '\\"', '[],', '\\\\', ' ']) {
    const many = unit.repeat(300_000 / unit.length);
    const value =
      unit === '[],' ? `[${many}0]` : unit === ' ' ? `${many}0` : `"${unit === '"' ? 'x'.repeat(300_000) : many}"`;
    const bytes = Buffer.from(`{"a":${value}  ,"b":"c"}`);
    const found = [...jsonChildren(bytes, 0)];
    assert.ok(found.filter((child) => child === undefined).length >= 4, unit);
    const [first, last] = found.filter((child) => child !== undefined);
    assert.equal(bytes.subarray(first?.at, first?.end).toString(), value.trim());
    assert.equal(jsonTextAt(bytes, last?.at ?? 0, last?.end ?? 0), 'c');
    assert.equal(first?.name, 'a');
  }
});
