import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AwsKeyChain, ClusterAccess } from '../ports/search-clusters.ts';
import { ConfiguredClusters } from './search-clusters.ts';

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const FOUND: AwsKeyChain = { keys: async () => KEYS };
const AWS = 'https://search-logs-abc.eu-west-1.es.amazonaws.com';
const SECTION = {
  'http://10.0.0.1:9200/': { username: 'me', password: 'word' },
  'https://search.example/logs': { sigv4: { region: 'us-west-2', accessKeyId: 'own', secretAccessKey: 'other' } },
  'https://search.example': { sigv4: {} },
  domain: { endpoint: 'https://vpc-domain.example', username: 'of', password: 'domain' },
};

test('each cluster by its URL, however it is spelled; one of AWS with the keys that are found', async () => {
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
  const clusters = new ConfiguredClusters({ region: 'us-east-1', chain: FOUND });
  clusters.use(SECTION);
  for (const [url, access] of table) assert.deepEqual(await clusters.access(url), access, url);
  assert.equal(clusters.endpoint('domain'), 'https://vpc-domain.example');
  assert.equal(clusters.endpoint('other'), undefined);
});

test('without keys nothing is signed, and what is to be signed says why not', async () => {
  const clusters = new ConfiguredClusters({
    region: 'us-east-1',
    chain: { keys: async () => ({ reason: 'the role is gone' }) },
  });
  assert.deepEqual(await clusters.access(AWS), { kind: 'none' });
  clusters.use(SECTION);
  assert.deepEqual(await clusters.access('https://search.example'), {
    kind: 'missing',
    reason: 'its requests are to be signed, and there are no keys: the role is gone',
  });
  assert.equal((await clusters.access('https://search.example/logs')).kind, 'sigv4', 'it has keys of its own');
  clusters.use(undefined);
  assert.equal((await clusters.access('https://search.example')).kind, 'none', 'what left the file holds no more');
});
