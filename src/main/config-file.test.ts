import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvalidConfig } from '../config/index.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { readConfig } from './config-file.ts';

test('files that a config names and that cannot be used are refused with their place, before anything is made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-config-'));
  try {
    const config = join(folder, 'm.yaml');
    const text = [
      'streams: { events: {} }',
      'gateway: { routes: { "POST /a": { to: events, schema: none.json, verify: { github: { secrets: ["${secret:A}"] } } } } }',
      'sources: { feed: { sse: { properties: none.json }, to: events } }',
    ];
    writeFileSync(config, `${text.join('\n')}\n`);
    const environment = createNodeEnvironment({ log: 'silent' });
    const where = { environment, source: config, dataDirectory: join(folder, 'data'), own: [] };
    const read = readConfig({ ...where, mode: 'dev', missingSecrets: 'make' });
    await assert.rejects(read, (error) => {
      assert(error instanceof InvalidConfig);
      const places = error.findings.map(({ line, column, path }) => [line, column, path]);
      assert.deepEqual(places, [
        [2, 55, 'gateway.routes.POST /a.schema'],
        [3, 20, 'sources.feed.sse'],
      ]);
      return true;
    });
    assert.deepEqual(readdirSync(folder), ['m.yaml']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
