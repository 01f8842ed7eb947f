import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indented, numberedListings } from './python-listing.ts';

const WHOLE = `import json
def handler(event, context):
    try:
        for one in event:
            try:
                for two in one:
                    if not two:
                        continue
                    print(two)
            except KeyError as e:
                print(f"key {e}")
            except ValueError as e:
                print("value")
    except Exception as e:
        print("any")
    return {
'statusCode': 200
}
def check(event):
    if event:
        print('yes')
        return 1
    try:
        print('no')
    except Exception:
        return 2
    return 3
`;
/** As a page prints it. */
const FLAT = WHOLE.replaceAll(/^ +/gm, '').trimEnd();

test('flattened code gets its blocks back', () => {
  assert.equal(indented(FLAT), WHOLE);
});

test('numbers in front of lines are taken away', () => {
  const document = 'text\n```\n1 import json\n2 \n3 def f(x):\n4     return x\n```\n```\nother\n```';
  assert.deepEqual(numberedListings(document, 'def f'), ['import json\n\ndef f(x):\n    return x']);
});
