import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { Gate } from '../wire/sigv4/gate.ts';
import type { Principal } from '../wire/sigv4/principal.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { NodeSurroundings } from './surroundings.ts';

const identity = { region: 'eu-west-1', account: '000000000000' };
const url = 'http://127.0.0.1:4567';
const OWN = { accessKeyId: 'OPERATOR', secretAccessKey: 'the secret of the operator' };

/** Who the gate takes the bearer of these variables for. */
function caller(gate: Gate, variables: Readonly<Record<string, string>>): Principal | undefined {
  const pair = {
    accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const signing = { ...pair, region: variables['AWS_REGION'] ?? '', service: 'kinesis', now: Date.now() };
  const headers = signRequest({ method: 'POST', url: new URL(`${url}/`), headers: {}, body: '{}' }, signing);
  const presented = gate.begin(fakeRequest({ headers: { host: '127.0.0.1:4567', ...headers }, body: '{}' }), 'kinesis');
  presented?.see(Buffer.from('{}'));
  return gate.finish(presented);
}

test('a function is lent addresses and a key pair for the data plane, and what its config allows', async () => {
  const environment = createNodeEnvironment({ log: 'silent' });
  const gate = new Gate([OWN], identity, environment);
  const surroundings = new NodeSurroundings(identity, environment);
  const waiting = surroundings.of('plain', []);
  surroundings.open({ api: url, gateway: 'http://g' }, gate, ['kinesis:PutRecord']);
  const { variables, ...addresses } = await waiting;
  assert.deepEqual(addresses, { api: url, gateway: 'http://g' });
  assert.equal(variables['AWS_ENDPOINT_URL_KINESIS'], url);
  assert.equal(variables['AWS_ENDPOINT_URL'], undefined);
  const more = (await surroundings.of('more', ['kinesis:Create*'])).variables;
  const may = (of: Readonly<Record<string, string>>): readonly (boolean | undefined)[] =>
    ['kinesis:PutRecord', 'kinesis:CreateStream', 'admin:Write'].map((action) => caller(gate, of)?.mayDo(action));
  assert.deepEqual(may(variables), [true, false, false]);
  assert.deepEqual(may(more), [true, true, false]);
  // Other key pairs of the node leave those of functions as they are.
  gate.use([{ ...OWN, accessKeyId: 'OTHER' }]);
  assert.deepEqual(may(variables), [true, false, false]);
  assert.deepEqual((await surroundings.of('plain', [])).variables, variables);
  await surroundings.forget('plain');
  assert.throws(() => may(variables), /security token included in the request is invalid/);
  assert.deepEqual(may(more), [true, true, false]);
});

test('where only TLS is spoken, clients are told what to trust', async () => {
  const environment = createNodeEnvironment({ log: 'silent' });
  const surroundings = new NodeSurroundings(identity, environment);
  const gate = new Gate(undefined, identity, environment);
  surroundings.open({ api: 'https://a', gateway: 'https://g', trustFile: '/trust.pem' }, gate, []);
  const { variables } = await surroundings.of('f', []);
  assert.deepEqual([variables['AWS_CA_BUNDLE'], variables['NODE_EXTRA_CA_CERTS']], ['/trust.pem', '/trust.pem']);
});
