import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withMember } from './with-member.ts';

test('a member is put in, and all else stays as it was written', () => {
  const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const table: readonly (readonly [given: string, expected: string])[] = [
    ['{}', '{"m":{"s":"d"}}'],
    [' { \n} ', ' { \n"m":{"s":"d"}} '],
    ['{"n":12345678901234567890,"f":1.0}', '{"n":12345678901234567890,"f":1.0,"m":{"s":"d"}}'],
    ['{"10":1,"1":2,"__proto__":{}}', '{"10":1,"1":2,"__proto__":{},"m":{"s":"d"}}'],
    ['{"a":{"m":"}"},"m" : [1,{"m":2}] ,"b":"}"}', '{"a":{"m":"}"},"m" : {"s":"d"} ,"b":"}"}'],
    ['{"\\u006d":1}', '{"\\u006d":{"s":"d"}}'],
    ['{"m":1,"m":2}', '{"m":1,"m":{"s":"d"}}'],
    [`${deep}}`, `${deep},"m":{"s":"d"}}`],
  ];
  for (const [given, expected] of table) {
    assert.equal(Buffer.from(withMember(Buffer.from(given), 'm', { s: 'd' })).toString(), expected);
  }
});
