import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterAccess } from '../ports/search-clusters.ts';
import { ConfiguredClusters } from './search-clusters.ts';

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const AWS = 'https://search-logs-abc.eu-west-1.es.amazonaws.com';
const SECTION = {
  'http://10.0.0.1:9200/': { username: 'me', password: 'word' },
  'https://search.example/logs': { sigv4: { region: 'us-west-2', accessKeyId: 'own', secretAccessKey: 'other' } },
  'https://search.example': { sigv4: {} },
  domain: { endpoint: 'https://vpc-domain.example', username: 'of', password: 'domain' },
};

test('each cluster by its URL, however it is spelled; one of AWS with the keys of the environment', () => {
  const none = { kind: 'none' } as const;
  const table: readonly (readonly [url: string, access: ClusterAccess])[] = [
    ['http://10.0.0.1:9200', { kind: 'basic', username: 'me', password: 'word' }],
    ['http://10.0.0.1:9200/other', none],
    ['http://10.0.0.1:9201', none],
    ['https://10.0.0.1:9200', none],
    [
      'https://SEARCH.example:443/logs/',
      { kind: 'sigv4', region: 'us-west-2', accessKeyId: 'own', secretAccessKey: 'other' },
    ],
    ['https://search.example', { kind: 'sigv4', region: 'us-east-1', ...KEYS }],
    ['https://vpc-domain.example', { kind: 'basic', username: 'of', password: 'domain' }],
    [AWS, { kind: 'sigv4', region: 'eu-west-1', ...KEYS }],
    [`${AWS}.evil.example`, none],
  ];
  const clusters = new ConfiguredClusters({ region: 'us-east-1', keys: KEYS });
  clusters.use(SECTION);
  for (const [url, access] of table) assert.deepEqual(clusters.access(url), access, url);
  assert.equal(clusters.endpoint('domain'), 'https://vpc-domain.example');
  assert.equal(clusters.endpoint('other'), undefined);
});

test('without keys nothing is signed, and what is to be signed says so', () => {
  const clusters = new ConfiguredClusters({ region: 'us-east-1', keys: undefined });
  assert.deepEqual(clusters.access(AWS), { kind: 'none' });
  clusters.use(SECTION);
  assert.equal(clusters.access('https://search.example').kind, 'missing');
  clusters.use(undefined);
  assert.equal(clusters.access('https://search.example').kind, 'none', 'what left the file holds no more');
});
