import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Endpoint, runConformance } from '../../src/conformance/index.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

interface Pair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const OLD = { accessKeyId: 'OLD', secretAccessKey: 'the first secret of this node' };
const NEW = { accessKeyId: 'NEW', secretAccessKey: 'the second secret of this node' };

/** The published checks once more, signed, against a node of its own that verifies; and its keys are changed. */
export function signedConformance(): void {
  const home = temporaryDirectory('signed');
  const config = join(home, 'millrace.yaml');
  let node: NodeProcess | undefined;
  const write = (...credentials: readonly Pair[]): void => {
    writeFileSync(config, JSON.stringify({ server: { credentials } }));
  };
  const endpoint = (credentials: Pair): Endpoint => {
    return new Endpoint({ url: node?.api ?? '', region: 'us-east-1', credentials, waitMs: 20_000, sentences: true });
  };

  describe('kinesis: signed', () => {
    before(async () => {
      write(OLD);
      node = await startNodeProcess({ config, data: join(home, 'data') });
    });

    after(async () => {
      await node?.stop();
      removeDirectory(home);
    });

    test('all that is published passes with the right key', async () => {
      const url = node?.api ?? '';
      const { results, left } = await runConformance({ url, credentials: OLD, sentences: true });
      assert.deepEqual([results.filter(({ failure }) => failure !== undefined), left], [[], []]);
      assert.ok(results.length >= 190, `${results.length} checks`);
    });

    test('nothing is answered to another key, another secret, or none', async () => {
      await endpoint(NEW).refuses('ListStreams', {}, 'UnrecognizedClientException', /security token .* is invalid/);
      const wrong = endpoint({ ...OLD, secretAccessKey: NEW.secretAccessKey });
      await wrong.refuses('ListStreams', {}, 'InvalidSignatureException', /^The request signature we calculated does/);
      await wrong.refuses('MakeStream', {}, 'InvalidSignatureException');
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Kinesis_20131202.ListStreams' };
      const { body } = await wrong.post('{}', headers);
      assert.equal(body['__type'], 'MissingAuthenticationTokenException');
    });

    test('keys change while it runs: both, then only the new one', async () => {
      write(OLD, NEW);
      await endpoint(NEW).eventually(async () => void (await endpoint(NEW).ok('ListStreams', {})));
      await endpoint(OLD).ok('ListStreams', {});
      write(NEW);
      await endpoint(OLD).eventually(async () => {
        await endpoint(OLD).refuses('ListStreams', {}, 'UnrecognizedClientException');
      });
      await endpoint(NEW).ok('ListStreams', {});
      write();
      await new Promise((resolve) => void setTimeout(resolve, 500));
      node?.child.kill('SIGHUP');
      await endpoint(NEW).eventually(async () => {
        assert.match(node?.output() ?? '', /config\.refused/, 'a list of none is no config');
        return await Promise.resolve();
      });
      await endpoint(NEW).ok('ListStreams', {});
      await endpoint(OLD).refuses('ListStreams', {}, 'UnrecognizedClientException');
    });
  });
}
