import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Json } from '../src/kernel/json.ts';
import { capabilities, destinations } from '../src/registry.ts';
import { differences } from './model-differences.ts';
import { knownServices } from './reference/known-actions.ts';
import type { ModelAction, ModelShape } from './service-model.ts';

const model = JSON.parse(readFileSync('test/fixtures/firehose-model.json', 'utf8')) as Record<string, ModelAction>;
const TARGET = 'Firehose_20150804';
const operations = capabilities.flatMap((one) => one.operations).filter((one) => one.target === TARGET);

/** Where we differ on purpose: path and what the model has there. */
const KNOWN: readonly RegExp[] = [
  // The contract: roles are optional.
  /^CreateDeliveryStream\.input(\.\w+)*\.RoleARN is required$/,
  // What is not built is not looked into.
  /^(CreateDeliveryStream|UpdateDestination)\.input\.\w+(Destination|Source)(Configuration|Update) is a structure$/,
  // The contract: http where `outgoing` allows it, and the search that is to come.
  /\.(Amazonopensearchservice|Elasticsearch)Destination(Configuration|Update)\.ClusterEndpoint has pattern https:\.\*$/,
  /\.(Amazonopensearchservice|Elasticsearch)DestinationConfiguration\.VpcConfiguration is a structure$/,
  // Each destination describes itself: compared below.
  /^DescribeDeliveryStream\.output\.DeliveryStreamDescription\.Destinations\[\] is a structure$/,
  /^DescribeDeliveryStream\.output\.DeliveryStreamDescription\.Source\.(MSK|Database)SourceDescription is missing$/,
  // Observed, though the model does not have them.
  /^CreateDeliveryStream knows no (ResourceNotFound|ServiceUnavailable)Exception$/,
];

test('the reference knows the actions of the model, and each is served', () => {
  const names = Object.keys(model).sort();
  assert.equal(names.length, 12);
  assert.deepEqual(operations.map(({ name }) => name).sort(), names);
  const known = knownServices.find(({ target }) => target === TARGET)?.groups.flatMap(({ actions }) => actions);
  assert.deepEqual(known?.toSorted(), names);
  assert.ok(operations.every(({ isNotBuilt }) => isNotBuilt !== true));
});

test('input, output and errors of every action are those of the model', () => {
  const found: string[] = [];
  for (const { name, input, output, errors } of operations) {
    const action = model[name];
    assert.ok(action?.output !== undefined && output !== undefined, name);
    found.push(...differences(`${name}.input`, input, action.input, true));
    found.push(...differences(`${name}.output`, output, action.output, false));
    for (const error of errors) if (!action.errors.includes(error)) found.push(`${name} knows no ${error}`);
  }
  const strange = found.filter((one) => !KNOWN.some((pattern) => pattern.test(one)));
  assert.deepEqual(strange, []);
  const idle = KNOWN.filter((pattern) => !found.some((one) => pattern.test(one)));
  assert.deepEqual(idle, [], 'what does not differ is not listed');
});

/** Places of a value that its shape does not have, or has of another type. */
function foreign(path: string, value: Json, shape: ModelShape | undefined): string[] {
  if (shape === undefined) return [path];
  if (Array.isArray(value)) {
    if (shape.type !== 'list') return [path];
    return value.flatMap((one: Json, index) => foreign(`${path}[${index}]`, one, shape.item));
  }
  if (typeof value === 'object' && value !== null) {
    if (shape.type !== 'structure') return [path];
    return Object.entries(value).flatMap(([name, one]) => foreign(`${path}.${name}`, one, shape.members?.[name]));
  }
  const type = typeof value === 'number' ? 'integer' : typeof value;
  return type === shape.type ? [] : [path];
}

const BUCKET = { BucketARN: 'arn:aws:s3:::b', Prefix: 'p/', CloudWatchLoggingOptions: { Enabled: false } };
const SEARCH = { ClusterEndpoint: 'https://e.example', IndexName: 'i', TypeName: 't', S3Configuration: BUCKET };
/** Options with most members, by destination. */
const SAID: Readonly<Record<string, object>> = {
  ExtendedS3DestinationConfiguration: {
    ...BUCKET,
    EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: 'arn:aws:kms:us-east-1:000000000000:key/k' } },
    ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'AppendDelimiterToRecord', Parameters: [] }] },
    S3BackupConfiguration: BUCKET,
    FileExtension: '.x',
    CustomTimeZone: 'Europe/Berlin',
  },
  HttpEndpointDestinationConfiguration: {
    EndpointConfiguration: { Url: 'https://e.example', Name: 'n', AccessKey: 'k' },
    RequestConfiguration: { ContentEncoding: 'GZIP', CommonAttributes: [{ AttributeName: 'a', AttributeValue: 'b' }] },
    RetryOptions: { DurationInSeconds: 1 },
    S3Configuration: BUCKET,
  },
  AmazonopensearchserviceDestinationConfiguration: SEARCH,
  ElasticsearchDestinationConfiguration: SEARCH,
};

test('what destinations describe is in the model, with all that the model wants', () => {
  const described = model['DescribeDeliveryStream']?.output?.members?.['DeliveryStreamDescription']?.members;
  const shape = described?.['Destinations']?.item;
  assert.ok(shape !== undefined);
  const ofAws = destinations.filter(({ name }) => name.endsWith('DestinationConfiguration'));
  for (const destination of ofAws) {
    const { name } = destination;
    const said = SAID[name];
    assert.ok(said !== undefined, `${name}: options to describe are missing here`);
    const description = destination.describe(said as never);
    assert.deepEqual(foreign(name, description, shape), []);
    for (const [member, value] of Object.entries(description)) {
      const required: readonly string[] = shape.members?.[member]?.required ?? [];
      const given = Object.keys(value as object);
      assert.deepEqual(required.filter((one) => one !== 'RoleARN' && !given.includes(one)), [], member); // prettier-ignore
    }
  }
});
