import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneLineObject } from './document.ts';

function line(text: string): string | undefined {
  const found = oneLineObject(Buffer.from(text, 'latin1'));
  return found === undefined ? undefined : Buffer.from(found).toString('latin1');
}

test('one JSON object on one line, its texts and numbers as they came', () => {
  const table: readonly (readonly [record: string, line: string])[] = [
    ['{}', '{}'],
    [' \r\n\t{"a":1}\n', '{"a":1}'],
    ['{"n":123456789012345678901,"f":1.50,"e":1E400}', '{"n":123456789012345678901,"f":1.50,"e":1E400}'],
    ['{"n":1,"n":2}', '{"n":1,"n":2}'],
    ['{\n  "a": [1,\r\n  {"b": null}]\n}', '{   "a": [1,    {"b": null}] }'],
    ['{"a":"} \\" \\\\"}', '{"a":"} \\" \\\\"}'],
    ['{"a":"line\\nend"}', '{"a":"line\\nend"}'],
    ['{"\xc3\xbc":"\xe2\x82\xac"}', '{"\xc3\xbc":"\xe2\x82\xac"}'],
    // What is wrong further in is found by who indexes it.
    ['{a:1,,}', '{a:1,,}'],
    ['{"a":[}}', '{"a":[}}'],
  ];
  for (const [record, wanted] of table) assert.equal(line(record), wanted, record);
});

test('what is not one JSON object', () => {
  const table = [
    '', ' ', 'null', '1', '"{}"', '[]', '[{}]', '{', '{"a":1', '{"a":"}', '{"a":"\\"}', '{"a":1}}', '{"a":1}{"b":2}',
    '{"a":1}\n{"b":2}', '{"a":1},', '{"a":1]', '{]', '{"a":"raw\nline"}', '{"a":"\ttab"}', '\xef\xbb\xbf{}', 'x{}',
  ]; // prettier-ignore
  for (const record of table) assert.equal(line(record), undefined, JSON.stringify(record));
});

test('the record itself is never changed', () => {
  const record = Buffer.from('{\n}');
  assert.equal(String(Buffer.from(oneLineObject(record) as Uint8Array)), '{ }');
  assert.equal(String(record), '{\n}');
});
