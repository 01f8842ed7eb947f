import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signRequest } from '../wire/sigv4/sign.ts';
import { withNode, type Pair } from './key-pairs.fixture.ts';

const PAIR = { accessKeyId: 'KEY', secretAccessKey: 'the secret of this pair' };
const FORM = 'application/x-www-form-urlencoded';
const ASKED = 'Action=GetCallerIdentity&Version=2011-06-15';
const REQUEST_ID = /<RequestId>[0-9a-f-]{36}<\/RequestId>/;

interface Change {
  readonly body?: string;
  readonly type?: string;
  readonly pair?: Pair;
  readonly service?: string;
  readonly unsigned?: true;
}

/** The status, the type, and the answer without its id. */
async function ask(api: string, change: Change): Promise<readonly [status: number, type: string, text: string]> {
  const { body = ASKED, type = FORM, pair = PAIR, service = 'sts', unsigned } = change;
  const request = { method: 'POST', url: new URL(`${api}/`), headers: { 'content-type': type }, body };
  const signed = signRequest(request, { ...pair, region: 'us-east-1', service, now: Date.now() });
  const headers = unsigned ? request.headers : signed;
  const answer = await fetch(request.url, { method: 'POST', headers, body });
  const text = (await answer.text()).replace(REQUEST_ID, '');
  return [answer.status, answer.headers.get('content-type') ?? '', text.trim()];
}

const root = (name: string, content: string): string =>
  `<${name} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${content}</${name}>`;

const identity = (arn: string, user: string): string =>
  root(
    'GetCallerIdentityResponse',
    `<GetCallerIdentityResult><Arn>${arn}</Arn><UserId>${user}</UserId><Account>000000000000</Account>` +
      '</GetCallerIdentityResult><ResponseMetadata></ResponseMetadata>',
  );

const error = (code: string, message: string): string =>
  root('ErrorResponse', `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`);

test('without verification the caller is the account', async () => {
  await withNode(undefined, {}, async ({ api }) => {
    const everybody = identity('arn:aws:iam::000000000000:root', '000000000000');
    const xml = (status: number, text: string): unknown => [status, 'text/xml', text];
    assert.deepEqual(await ask(api, {}), xml(200, everybody));
    assert.deepEqual(await ask(api, { type: `${FORM}; charset=utf-8` }), xml(200, everybody));
    const other = error('InvalidAction', 'Could not find operation &lt;Assume&amp;\ufffd for version 1');
    assert.deepEqual(await ask(api, { body: 'Action=%3CAssume%26%00&Version=1' }), xml(400, other));
    const none = error('InvalidAction', 'Could not find operation  for version ');
    for (const body of ['', '%', '\u0000', 'action=GetCallerIdentity']) {
      assert.deepEqual(await ask(api, { body }), xml(400, none), body);
    }
    const long = await ask(api, { body: `Action=${'\u{1f600}'.repeat(5000)}` });
    assert.ok(long[0] === 400 && long[2].length < 500, 'a long name is cut');
    assert.equal((await ask(api, { body: 'a'.repeat(65_537) }))[0], 413);
  });
});

test('forms that are not signed for the service go where all others go', async () => {
  await withNode(undefined, {}, async ({ api }) => {
    for (const change of [
      { unsigned: true },
      { service: 'kinesis' },
      { type: 'application/x-amz-json-1.1' },
    ] as const) {
      const [status, type, text] = await ask(api, change);
      assert.equal(status, 400);
      assert.notEqual(type, 'text/xml');
      assert.ok(!text.includes('Arn'));
    }
  });
});

test('with key pairs the caller is the one that signed', async () => {
  const bound = { ...PAIR, allow: ['kinesis:PutRecord'], on: ['none'] };
  await withNode([bound], {}, async ({ api }) => {
    const own = identity('arn:aws:iam::000000000000:user/KEY', 'KEY');
    assert.deepEqual(await ask(api, {}), [200, 'text/xml', own], 'as on AWS no permission is needed');
    const strangers = [
      { ...PAIR, secretAccessKey: 'another secret here' },
      { ...PAIR, accessKeyId: 'OTHER' },
    ];
    for (const pair of strangers) {
      const [status, type, text] = await ask(api, { pair });
      assert.ok(status >= 400 && status < 500 && type === 'text/xml', text);
      assert.match(text, /<Type>Sender<\/Type><Code>\w+<\/Code>/);
      assert.ok(!text.includes('Arn'));
    }
  });
});
