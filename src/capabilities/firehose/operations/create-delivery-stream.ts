import { RequestError } from '../../../kernel/errors.ts';
import { nameOfArn } from '../../../kernel/names.ts';
import * as s from '../../../kernel/schema/declare.ts';
import type { Json } from '../../../ports/catalog.ts';
import type { AnyDestination } from '../../../ports/destination.ts';
import { operation, type Operation } from '../../../ports/operation.ts';
import { deliveryStreamArn } from '../../../kernel/names.ts';
import { firehoseError } from '../errors.ts';
import type { FirehoseState, Target } from '../model.ts';
import { deliveryStreamName, deliveryStreamType, TARGET } from '../shapes.ts';

/** AWS's older form of the same destination. */
const PLAIN_S3 = 'S3DestinationConfiguration';
const EXTENDED_S3 = 'ExtendedS3DestinationConfiguration';

const roleArn = s.string({ min: 1, max: 512, pattern: 'arn:.*:iam::\\d{11,13}:role/.*' });

const common = {
  DeliveryStreamName: deliveryStreamName,
  DeliveryStreamType: s.optional(deliveryStreamType),
  KinesisStreamSourceConfiguration: s.optional(
    s.struct({
      KinesisStreamARN: s.string({ min: 1, max: 512, pattern: 'arn:.*:kinesis:.*:\\d{11,13}:stream/[a-zA-Z0-9_.-]+' }),
      RoleARN: s.optional(roleArn),
    }),
  ),
  DirectPutSourceConfiguration: s.optional(s.notBuilt()),
  DeliveryStreamEncryptionConfigurationInput: s.optional(s.notBuilt()),
  AmazonopensearchserviceDestinationConfiguration: s.optional(s.notBuilt()),
  ElasticsearchDestinationConfiguration: s.optional(s.notBuilt()),
  AmazonOpenSearchServerlessDestinationConfiguration: s.optional(s.notBuilt()),
  HttpEndpointDestinationConfiguration: s.optional(s.notBuilt()),
  RedshiftDestinationConfiguration: s.optional(s.notBuilt()),
  SplunkDestinationConfiguration: s.optional(s.notBuilt()),
  SnowflakeDestinationConfiguration: s.optional(s.notBuilt()),
  IcebergDestinationConfiguration: s.optional(s.notBuilt()),
  MSKSourceConfiguration: s.optional(s.notBuilt()),
  DatabaseSourceConfiguration: s.optional(s.notBuilt()),
  Tags: s.optional(s.list(s.notBuilt())),
};

type Request = s.Static<s.StructSchema<typeof common>> & Readonly<Record<string, unknown>>;

/** Creates a delivery stream to one of these destinations; ACTIVE when the answer comes. */
export function createDeliveryStream(all: readonly AnyDestination[]): Operation<FirehoseState> {
  // Kinds of our own are for the file alone.
  const destinations = all.filter(({ name }) => /^[A-Z]/.test(name));
  const kinds = destinations.map(({ name, options }) => [name, s.optional(options)] as const);
  const extended = destinations.find(({ name }) => name === EXTENDED_S3);
  const plain = extended === undefined ? [] : [[PLAIN_S3, s.optional(extended.options)] as const];
  return operation<FirehoseState>()({
    name: 'CreateDeliveryStream',
    target: TARGET,
    input: s.struct({ ...common, ...Object.fromEntries([...kinds, ...plain]) }),
    output: s.struct({ DeliveryStreamARN: s.string() }),
    errors: [
      'InvalidArgumentException',
      'LimitExceededException',
      'ResourceInUseException',
      'ResourceNotFoundException',
      'ServiceUnavailableException',
    ],
    plane: 'control',
    doc: 'Creates a delivery stream from a Kinesis stream, or for records put directly; ACTIVE when the answer comes.',
    async handle(given, { state }) {
      const request = given as Request;
      const target = chosenTarget(request, destinations);
      const source = chosenSource(request, state);
      const { DeliveryStreamName: name } = request;
      // As on AWS, what stood in the stream before is not delivered.
      await state.deliveries.create({ name, target, ...source }, 'LATEST');
      return { DeliveryStreamARN: deliveryStreamArn(state.identity.region, state.identity.account, name) };
    },
  });
}

function chosenTarget(request: Request, destinations: readonly AnyDestination[]): Target {
  const given = [...destinations.map(({ name }) => name), PLAIN_S3].filter((name) => request[name] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const sentence = 'Exactly one destination configuration is supported for a Firehose.';
    throw firehoseError('InvalidArgumentException', sentence);
  }
  const options = request[kind];
  const stored = kind === PLAIN_S3 ? EXTENDED_S3 : kind;
  const destination = destinations.find(({ name }) => name === stored);
  const problem = destination?.problem(options as never);
  if (problem !== undefined) throw firehoseError('InvalidArgumentException', problem);
  return { kind: stored, options: options as Json };
}

function chosenSource(request: Request, state: FirehoseState): Pick<Source, 'from' | 'source'> {
  const { DeliveryStreamType: type = 'DirectPut', KinesisStreamSourceConfiguration: kinesis } = request;
  if (type !== 'DirectPut' && type !== 'KinesisStreamAsSource') {
    throw new RequestError('InvalidArgumentException', `DeliveryStreamType ${type} is not built yet.`);
  }
  if ((type === 'KinesisStreamAsSource') !== (kinesis !== undefined)) {
    const sentence =
      'KinesisStreamSourceConfiguration goes with DeliveryStreamType KinesisStreamAsSource, and only with it.';
    throw firehoseError('InvalidArgumentException', sentence);
  }
  if (kinesis === undefined) return {};
  const from = nameOfArn(kinesis.KinesisStreamARN);
  if (state.records.describe(from) === undefined) {
    const sentence = `Stream ${from} under account ${state.identity.account} not found.`;
    throw firehoseError('ResourceNotFoundException', sentence);
  }
  const { KinesisStreamARN, RoleARN } = kinesis;
  return { from, source: { KinesisStreamARN, ...(RoleARN !== undefined && { RoleARN }) } };
}

interface Source {
  readonly from?: string;
  readonly source?: { readonly KinesisStreamARN: string; readonly RoleARN?: string };
}
