import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { readHeaders } from './header-pairs.ts';
import { readProperties } from './properties.ts';
import { readSettings, type ReadSettings } from './read-settings.ts';
import { sseProblem, type SseOptions } from './settings.ts';

test('headers are names and values by turns', () => {
  assert.deepEqual(readHeaders('x-api-key|demo| X-Other |a b'), {
    headers: { 'x-api-key': 'demo', 'x-other': 'a b' },
    notes: [],
  });
  const rows: readonly (readonly [text: string, problem: string])[] = [
    ['a', 'headers has a name without a value'],
    ['a|b|c', 'headers has a name without a value'],
    ['a b|c', 'headers names something that is no header'],
    ['|c', 'headers names something that is no header'],
    ['a|hidden\r\nx: y', 'headers gives a a value that cannot be sent'],
    ['a|你', 'headers gives a a value that cannot be sent'],
    ['Host|x', 'headers names host, which belongs to the connection'],
  ];
  for (const [text, problem] of rows) assert.equal(readHeaders(text).problem, problem, text);
});

test('options that the shape lets through and that cannot be', () => {
  const rows: readonly (readonly [options: SseOptions, problem: string | undefined])[] = [
    [{}, 'has no url; name one'],
    [{ properties: 'x.json' }, undefined],
    [{ url: 'https://a.example/x' }, undefined],
    [{ url: 'nowhere' }, 'url is none, expected one such as https://example.com/events'],
    [{ url: 'ftp://a.example/' }, 'url is neither https nor http'],
    [{ url: 'https://me:secret@a.example/' }, 'url holds a user and a password; send them as a header'],
    [{ url: 'https://a.example/', headers: 'a' }, 'headers has a name without a value'],
    [{ url: 'https://a.example/', dedupeKey: 'a..b' }, 'a..b is no path, expected one such as meta.id'],
    [{ url: 'https://a.example/', skip: { 'a..b': 'c' } }, 'a..b is no path, expected one such as meta.id'],
  ];
  for (const [options, problem] of rows) assert.equal(sseProblem(options), problem, JSON.stringify(options));
});

const GROUPS = [
  {
    PropertyGroupId: 'ProducerConfigProperties',
    PropertyMap: { 'aws.region': 'us-west-2', AggregationEnabled: 'false' },
  },
  { PropertyGroupId: 'OutputStreamProperties', PropertyMap: { DefaultStream: 'out' } },
  {
    PropertyGroupId: 'SSESourceProperties',
    PropertyMap: {
      url: 'https://a.example/x',
      headers: 'a|b',
      types: 'message',
      readTimeoutMS: '60000',
      reportMessagesReceivedMS: '10',
      other: 'x',
    },
  },
];

test('the runtime properties of the sample, in each of their wrappings', () => {
  const expected = {
    options: {
      url: 'https://a.example/x',
      headers: 'a|b',
      types: 'message',
      readTimeoutMS: 60_000,
      reportMessagesReceivedMS: 10,
    },
    notes: [
      'ProducerConfigProperties.aws.region has no effect: there is no producer between the source and the log',
      'OutputStreamProperties.DefaultStream has no effect: the stream is named by `to`',
      'SSESourceProperties.other has no effect: there is no such property',
    ],
  };
  const wrapped = [
    GROUPS,
    { PropertyGroups: GROUPS },
    { EnvironmentProperties: { PropertyGroups: GROUPS } },
    { ApplicationConfiguration: { EnvironmentProperties: { PropertyGroups: GROUPS } } },
    {
      ApplicationDetail: {
        ApplicationConfigurationDescription: { EnvironmentPropertyDescriptions: { PropertyGroupDescriptions: GROUPS } },
      },
    },
  ];
  for (const one of wrapped) assert.deepEqual(readProperties(JSON.stringify(one)), expected);
});

test('properties that cannot be', () => {
  const group = (PropertyGroupId: string, PropertyMap: unknown): string =>
    JSON.stringify([{ PropertyGroupId, PropertyMap }]);
  const shape = 'expected groups of properties: [{ PropertyGroupId, PropertyMap }]';
  const rows: readonly (readonly [text: string, problem: string])[] = [
    ['', shape],
    ['null', shape],
    ['{}', shape],
    ['[1]', shape],
    [group('SSESourceProperties', 'x'), shape],
    [
      group('ProducerConfigProperties', { AggregationEnabled: 'True' }),
      'ProducerConfigProperties.AggregationEnabled: records are not aggregated; set it to false, as the sample says',
    ],
    [
      group('ProducerConfigProperties', { AggregationEnabled: true }),
      'ProducerConfigProperties.AggregationEnabled: records are not aggregated; set it to false, as the sample says',
    ],
    [
      group('SSESourceProperties', { readTimeoutMS: 'soon' }),
      'SSESourceProperties.readTimeoutMS: expected a number of milliseconds',
    ],
    [group('SSESourceProperties', { url: 7 }), 'SSESourceProperties.url: expected a text'],
  ];
  for (const [text, problem] of rows) assert.equal(readProperties(text).problem, problem, text);
});

/** Reads the settings with a file `/config/properties.json`. */
async function settings(options: SseOptions, text?: string): Promise<ReadSettings> {
  const simulation = new Simulation(1);
  const { environment } = simulation;
  const prepare = async (): Promise<ReadSettings> => {
    await environment.files.makeDirectory('/config');
    if (text !== undefined) {
      const file = await environment.files.open('/config/properties.json', 'create');
      await file.write(Buffer.from(text), 0);
      await file.close();
    }
    return await readSettings(options, { name: 'feed', configFolder: '/config', files: environment.files });
  };
  return await simulation.drive(prepare());
}

test('the words of the config file win over those of the properties', async () => {
  const read = await settings({ properties: 'properties.json', types: 'a|b' }, JSON.stringify(GROUPS));
  assert.equal(read.settings.url, 'https://a.example/x');
  assert.deepEqual([...(read.settings.types ?? [])], ['a', 'b']);
  assert.equal(read.settings.readTimeoutMs, 60_000);
  assert.deepEqual(read.notes.slice(-2), [
    'properties: SSESourceProperties.other has no effect: there is no such property',
    'properties: types has no effect: the config file says it itself',
  ]);
});

test('a file of properties that is missing or wrong is an error of the config', async () => {
  const rows: readonly (readonly [options: SseOptions, text: string | undefined, message: string])[] = [
    [
      { properties: 'properties.json' },
      undefined,
      'sources.feed.sse: properties: properties.json cannot be read (ENOENT)',
    ],
    [
      { properties: '/config/properties.json' },
      '[]',
      'sources.feed.sse: has no url, and neither has its file of properties',
    ],
    [
      { properties: 'properties.json' },
      '7',
      'sources.feed.sse: properties: expected groups of properties: [{ PropertyGroupId, PropertyMap }]',
    ],
    [
      { properties: 'properties.json' },
      JSON.stringify([{ PropertyGroupId: 'SSESourceProperties', PropertyMap: { url: 'x' } }]),
      'sources.feed.sse: url is none, expected one such as https://example.com/events',
    ],
  ];
  for (const [options, text, message] of rows) {
    await assert.rejects(settings(options, text), { code: 'InvalidConfig', message });
  }
});
