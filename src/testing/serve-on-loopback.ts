import { serve, type ServedNode, type ServeOptions } from '../compose/serve.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

/** What each test says of its node; it may say all the rest. */
type Said = Pick<ServeOptions, 'environment' | 'drivers' | 'dataDirectory' | 'sections'> & Partial<ServeOptions>;

/** A whole node with listeners on free ports: open, with the data directory for its folder, and no wait for syncs. */
export async function serveOnLoopback(said: Said): Promise<ServedNode> {
  return await serve({
    configFolder: said.dataDirectory,
    api: LOOPBACK,
    gateway: LOOPBACK,
    identity: { region: 'us-east-1', account: '000000000000' },
    mode: 'dev',
    hosts: [],
    origins: [],
    credentials: undefined,
    engine: { sync: 'none', reserveBytes: 0 },
    limits: {},
    version: '0',
    ...said,
  });
}
