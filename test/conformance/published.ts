import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { areas, Endpoint } from '../../src/conformance/index.ts';
import type { Subject } from './subject.ts';

/** The checks that are published as `millrace/conformance`, with AWS's sentences. */
export function publishedConformance(subject: Subject): void {
  let endpoint: Endpoint | undefined;
  const opened = (): Endpoint => {
    // The subject has its URL once it is started.
    endpoint ??= new Endpoint({
      url: subject.api,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      waitMs: 10_000,
      sentences: true,
    });
    return endpoint;
  };
  for (const { title, checks } of areas) {
    describe(`kinesis: ${title}`, () => {
      for (const { name, run } of checks) test(name, async () => await run(opened()));
    });
  }
  test('kinesis: what was made is deleted', async () => assert.deepEqual(await opened().cleanUp(), []));
}
