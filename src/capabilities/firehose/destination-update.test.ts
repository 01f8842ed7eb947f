import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as s from '../../kernel/schema/declare.ts';
import { backupProblem, secretProblem, updatedOptions, updateShape } from './destination-update.ts';

const bucket = s.struct({ BucketARN: s.string(), Prefix: s.optional(s.string()) });
const OPTIONS = s.struct({
  Endpoint: s.struct({
    Url: s.string(),
    Name: s.optional(s.string()),
    AccessKey: s.optional(s.string({ secret: true })),
  }),
  Hints: s.optional(s.struct({ Size: s.optional(s.integer()), Seconds: s.optional(s.integer()) })),
  S3BackupMode: s.optional(s.string()),
  S3Configuration: bucket,
});

test('an update may name each member or none, and those of the bucket as well', () => {
  const { members } = updateShape('HttpEndpointDestinationConfiguration', OPTIONS);
  assert.deepEqual(Object.keys(members), ['Endpoint', 'Hints', 'S3BackupMode', 'S3Update']);
  assert.ok(Object.values(members).every(({ kind }) => kind === 'optional'));
  const s3 = members['S3Update'];
  assert.deepEqual(s3, s.optional(s.struct({ BucketARN: s.optional(s.string()), Prefix: s.optional(s.string()) })));
  const search = updateShape('AmazonopensearchserviceDestinationConfiguration', OPTIONS);
  assert.deepEqual(Object.keys(search.members), ['Endpoint', 'Hints', 'S3Update']);
});

test('what an update leaves, replaces and merges', () => {
  const current = {
    Endpoint: { Url: 'https://a', Name: 'n', AccessKey: 'k' },
    Hints: { Size: 1, Seconds: 2 },
    S3Configuration: { BucketARN: 'b', Prefix: 'p' },
  };
  const table: readonly (readonly [what: string, update: object, changed: object])[] = [
    ['nothing', {}, {}],
    ['a structure is replaced', { Hints: { Size: 3 } }, { Hints: { Size: 3 } }],
    ['but for its secrets', { Endpoint: { Url: 'https://a/x' } }, { Endpoint: { AccessKey: 'k', Url: 'https://a/x' } }],
    ['which stay with their server', { Endpoint: { Url: 'https://b' } }, { Endpoint: { Url: 'https://b' } }],
    ['which can be taken away', { Endpoint: { Url: 'u', AccessKey: '' } }, { Endpoint: { AccessKey: '', Url: 'u' } }],
    ['a bucket is merged', { S3Update: { Prefix: 'q' } }, { S3Configuration: { BucketARN: 'b', Prefix: 'q' } }],
    ['also one that is new', { S3BackupUpdate: { Prefix: 'q' } }, { S3BackupConfiguration: { Prefix: 'q' } }],
  ];
  for (const [what, update, changed] of table) {
    assert.deepEqual(updatedOptions(OPTIONS, current, { ...update }), { ...current, ...changed }, what);
  }
});

test('a secret goes to no other server', () => {
  const current = { Endpoint: { Url: 'https://a/in', AccessKey: 'k' } };
  const said = 'Endpoint.AccessKey: the one that is stored does not go to another server';
  const table: readonly (readonly [update: object, said: string | undefined])[] = [
    [{}, undefined],
    [{ Endpoint: { Url: 'https://a/other?x' } }, undefined],
    [{ Endpoint: { Url: 'https://A:443/in' } }, undefined],
    [{ Endpoint: { Url: 'https://b/in' } }, said],
    [{ Endpoint: { Url: 'https://a.evil/in' } }, said],
    [{ Endpoint: { Url: 'http://a/in' } }, said],
    [{ Endpoint: { Url: 'https://a:8443/in' } }, said],
    [{ Endpoint: { Url: '${gateway}/in' } }, said],
    [{ Endpoint: { Url: 'https://b/in', AccessKey: 'new' } }, undefined],
    [{ Endpoint: { Url: 'https://b/in', AccessKey: '' } }, undefined],
  ];
  for (const [update, expected] of table) {
    const problem = secretProblem(OPTIONS, current, { ...update });
    assert.equal(problem?.slice(0, said.length), expected, JSON.stringify(update));
  }
  const none = { Endpoint: { Url: 'https://a/in' } };
  assert.equal(secretProblem(OPTIONS, none, { Endpoint: { Url: 'https://b/in' } }), undefined, 'none is stored');
});

test('of two members that say the same the one that is named holds', () => {
  const options = s.struct({ ClusterEndpoint: s.optional(s.string()), DomainARN: s.optional(s.string()) });
  const [url, domain] = [{ ClusterEndpoint: 'https://c' }, { DomainARN: 'arn' }];
  assert.deepEqual(updatedOptions(options, url, domain), domain);
  assert.deepEqual(updatedOptions(options, domain, url), url);
  assert.deepEqual(updatedOptions(options, url, { ...url, ...domain }), { ...url, ...domain }, 'both: refused later');
  assert.deepEqual(updatedOptions(options, url, {}), url);
});

test('a backup of all records is for life', () => {
  const mode = (S3BackupMode?: string): object => ({ S3BackupMode });
  const said = 'S3BackupMode: it cannot be switched off again';
  assert.equal(backupProblem(mode('Enabled'), mode('Disabled')), said);
  assert.equal(backupProblem(mode('Enabled'), {}), said);
  assert.equal(backupProblem(mode('Enabled'), mode('Enabled')), undefined);
  assert.equal(backupProblem(mode('Disabled'), mode('Enabled')), undefined);
  assert.equal(backupProblem({}, mode('AllData')), undefined);
});
