import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notes } from './notes.ts';
import type { S3Options } from './options.ts';

test('what is ignored, and what makes many small objects', () => {
  const hints = (SizeInMBs: number, IntervalInSeconds: number): Partial<S3Options> => ({
    BufferingHints: { SizeInMBs, IntervalInSeconds },
  });
  const seconds = /^BufferingHints\.IntervalInSeconds: /;
  const size = /^BufferingHints\.SizeInMBs: no object holds more than 4 MiB/;
  const table: readonly (readonly [options: Partial<S3Options>, ...said: RegExp[]])[] = [
    [{}],
    [hints(5, 60)],
    [hints(128, 900)],
    [hints(5, 59), /59 s is below the 60 s that AWS's console takes at least; with steady traffic 1464 objects a day/],
    [hints(5, 0), /0 s is below .*; with steady traffic each record or few are an object of their own/],
    [hints(4, 300), size],
    [hints(4, 1), seconds, size],
    [{ S3BackupMode: 'Enabled', S3BackupConfiguration: { BucketARN: 'b' } }],
    [{ S3BackupConfiguration: { BucketARN: 'b', ...hints(1, 1) } }],
    [
      { S3BackupMode: 'Enabled', S3BackupConfiguration: { BucketARN: 'b', ...hints(1, 1) } },
      /^S3BackupConfiguration\.BufferingHints\.IntervalInSeconds: 1 s is below/,
      /^S3BackupConfiguration\.BufferingHints\.SizeInMBs: no object holds more than 1 MiB/,
    ],
    [{ RoleARN: 'arn:aws:iam::000000000000:role/r' }, /^RoleARN: is kept and described, and otherwise ignored/],
  ];
  for (const [options, ...said] of table) {
    const found = notes({ BucketARN: 'bucket', ...options }).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
    assert.equal(found.length, said.length, found.join('\n'));
    for (const [index, pattern] of said.entries()) assert.match(found[index] ?? '', pattern);
  }
});
