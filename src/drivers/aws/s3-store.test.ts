import * as sdk from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { DeliveryError } from '../../kernel/errors.ts';
import type { Upload } from '../../ports/object-store.ts';
import { S3Store } from './s3-store.ts';

const BODY = { bytes: Buffer.from('x'), sha256: '', crc32: '' };

/** A server that reads every request and answers none; `seen` is told of each. */
async function silentServer(seen: () => void): Promise<Server> {
  const server = createServer((request) => void request.resume().once('end', seen));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a store that never answers holds nobody longer than he wants to wait', async () => {
  let abort = (): void => undefined;
  const server = await silentServer(() => abort());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const store = new S3Store(sdk, { endpoint, region: 'us-east-1', credentials });
  const uploadWith = (signal: AbortSignal): Upload => ({ bucket: 'bucket', key: 'k', id: '1', signal });
  const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    put: async (signal) => await store.put('bucket', 'k', BODY, { signal }),
    begin: async (signal) => await store.begin('bucket', 'k', { signal }),
    addPart: async (signal) => await store.addPart(uploadWith(signal), 1, BODY),
    complete: async (signal) => await store.complete(uploadWith(signal), []),
  };
  for (const [name, call] of Object.entries(calls)) {
    const controller = new AbortController();
    abort = () => controller.abort();
    const wanted = (error: unknown): boolean => error instanceof DeliveryError && error.code === 'S3.Stopped';
    await assert.rejects(call(controller.signal), wanted, name);
  }
  store.close();
  server.closeAllConnections();
  server.close();
});
