import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as s from '../../kernel/schema/declare.ts';
import { backupProblem, updatedOptions, updateShape } from './destination-update.ts';

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
    ['but for its secrets', { Endpoint: { Url: 'https://b' } }, { Endpoint: { AccessKey: 'k', Url: 'https://b' } }],
    ['which can be taken away', { Endpoint: { Url: 'u', AccessKey: '' } }, { Endpoint: { AccessKey: '', Url: 'u' } }],
    ['a bucket is merged', { S3Update: { Prefix: 'q' } }, { S3Configuration: { BucketARN: 'b', Prefix: 'q' } }],
    ['also one that is new', { S3BackupUpdate: { Prefix: 'q' } }, { S3BackupConfiguration: { Prefix: 'q' } }],
  ];
  for (const [what, update, changed] of table) {
    assert.deepEqual(updatedOptions(OPTIONS, current, { ...update }), { ...current, ...changed }, what);
  }
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
