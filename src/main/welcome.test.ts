import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinations } from '../registry.ts';
import type { StartedNode } from './node.ts';
import { welcome } from './welcome.ts';

function linesOf(deliveries: object, api = 'http://127.0.0.1:4567'): readonly string[] {
  const node = {
    served: { api, gateway: 'http://127.0.0.1:4568' },
    config: { sections: { deliveries } },
    dataDirectory: '/data',
    sync: 'always',
  };
  return welcome(node as unknown as StartedNode, undefined).split('\n');
}

test('each delivery is shown with its goal, and only what no destination takes as not built', () => {
  const search = { ClusterEndpoint: 'http://localhost:9200', IndexName: 'events' };
  const table: Readonly<Record<string, readonly [options: object, goal: string]>> = {
    ExtendedS3DestinationConfiguration: [{ BucketARN: 'arn:aws:s3:::archive' }, '/data/buckets/archive/'],
    HttpEndpointDestinationConfiguration: [
      { EndpointConfiguration: { Url: 'https://a.example/in' } },
      'https://a.example/in',
    ],
    AmazonopensearchserviceDestinationConfiguration: [search, 'http://localhost:9200/events'],
    ElasticsearchDestinationConfiguration: [search, 'http://localhost:9200/events'],
    mongodb: [{ uri: 'mongodb://u:secret@a.example', database: 'monitors', collection: 'reports' }, 'monitors.reports'],
    function: [{ name: 'clean' }, 'function clean'],
  };
  for (const { name } of destinations) assert.ok(name in table, `${name} is shown`);
  for (const [kind, [options, goal]] of Object.entries(table)) {
    const [shown] = linesOf({ d: { from: 'events', [kind]: options } }).filter((line) => line.startsWith('  delivery'));
    assert.equal(shown, `  delivery  events -> ${goal}`);
  }
  assert.ok(linesOf({ d: { from: 'events', series: {} } }).includes('  delivery  events -> d (paused: not built)'));
});

test('commands are shown as they reach the node, wherever it listens', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`d${index}`, { function: { name: 'f' } }]));
  const commands = (api: string): readonly string[] => {
    const text = linesOf(many, api).join('|');
    return text.match(/millrace (?!dev)[^|")]*/g) ?? [];
  };
  assert.ok(commands('http://127.0.0.1:4567').every((command) => !command.includes('--api')));
  const elsewhere = commands('http://127.0.0.1:4767');
  assert.equal(elsewhere.length, 6);
  for (const command of elsewhere) assert.match(command, /^millrace [a-z]+ --api http:\/\/127\.0\.0\.1:4767/);
});
