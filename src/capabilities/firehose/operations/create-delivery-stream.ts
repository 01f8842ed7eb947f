import { deliveryStreamArn, nameOfArn } from '../../../kernel/names.ts';
import * as s from '../../../kernel/schema/declare.ts';
import type { Json } from '../../../ports/catalog.ts';
import type { AnyDestination } from '../../../ports/destination.ts';
import { operation, type Operation } from '../../../ports/operation.ts';
import type { NewDelivery } from '../deliveries.ts';
import { chosenKind, destinationKinds, kindMembers, notBuilt, type DestinationKind } from '../destination-kinds.ts';
import { refuse } from '../destination-update.ts';
import { notDirect, requestedKey } from '../encryption.ts';
import { firehoseError } from '../errors.ts';
import type { FirehoseState, Target } from '../model.ts';
import {
  deliveryStreamName, deliveryStreamType, directPutSource, encryptionInput, kinesisStreamSource, tagList, TARGET,
} from '../shapes.ts'; // prettier-ignore
import { tagsOf } from '../tags.ts';
import { fileWordProblem, targetProblem } from '../target-problem.ts';

const common = {
  DeliveryStreamName: deliveryStreamName,
  DeliveryStreamType: s.optional(deliveryStreamType),
  DirectPutSourceConfiguration: s.optional(directPutSource),
  KinesisStreamSourceConfiguration: s.optional(kinesisStreamSource),
  DeliveryStreamEncryptionConfigurationInput: s.optional(encryptionInput),
};
/** Not built: not looked into. */
const OTHER_SOURCES = ['MSKSourceConfiguration', 'DatabaseSourceConfiguration'] as const;
const others = {
  Tags: s.optional(tagList),
  MSKSourceConfiguration: s.optional(s.any()),
  DatabaseSourceConfiguration: s.optional(s.any()),
};

type Request = s.Static<s.StructSchema<typeof common & typeof others>> & Readonly<Record<string, unknown>>;

/** Creates a delivery stream to one of these destinations; ACTIVE when the answer comes. */
export function createDeliveryStream(destinations: readonly AnyDestination[]): Operation<FirehoseState> {
  const kinds = destinationKinds(destinations);
  return operation<FirehoseState>()({
    name: 'CreateDeliveryStream',
    target: TARGET,
    input: s.struct({ ...common, ...kindMembers(kinds, 'configuration'), ...others }),
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
      const { DeliveryStreamName: name } = request;
      const target = chosenTarget(request, kinds);
      refuse(fileWordProblem(target, state.destinations) ?? targetProblem(target, state.destinations, state.http));
      const wanted = { name, target, ...chosenSettings(request), ...chosenSource(request, state) };
      // As on AWS, what stood in the stream before is not delivered.
      await state.deliveries.create(wanted, 'LATEST');
      return { DeliveryStreamARN: deliveryStreamArn(state.identity.region, state.identity.account, name) };
    },
  });
}

function chosenTarget(request: Request, kinds: readonly DestinationKind[]): Target {
  const { destination, said } = chosenKind(kinds, 'configuration', request);
  return { kind: destination.name, options: said as Json };
}

function chosenSource(request: Request, state: FirehoseState): Pick<NewDelivery, 'from' | 'source' | 'directPut'> {
  const { DeliveryStreamType: type = 'DirectPut', KinesisStreamSourceConfiguration: kinesis } = request;
  const { DirectPutSourceConfiguration: directPut } = request;
  const other = OTHER_SOURCES.find((member) => request[member] !== undefined);
  if (other !== undefined) throw notBuilt(other);
  if (type !== 'DirectPut' && type !== 'KinesisStreamAsSource') throw notBuilt(`DeliveryStreamType ${type}`);
  if ((type === 'KinesisStreamAsSource') !== (kinesis !== undefined)) {
    refuse('KinesisStreamSourceConfiguration goes with DeliveryStreamType KinesisStreamAsSource, and only with it.');
  }
  if (kinesis === undefined) return directPut === undefined ? {} : { directPut };
  if (directPut !== undefined) refuse('DirectPutSourceConfiguration goes with DeliveryStreamType DirectPut only.');
  const from = nameOfArn(kinesis.KinesisStreamARN);
  if (state.records.describe(from) === undefined) {
    const sentence = `Stream ${from} under account ${state.identity.account} not found.`;
    throw firehoseError('ResourceNotFoundException', sentence);
  }
  return { from, source: kinesis };
}

function chosenSettings(request: Request): Pick<NewDelivery, 'tags' | 'encryption'> {
  const { Tags, DeliveryStreamEncryptionConfigurationInput: asked, KinesisStreamSourceConfiguration: from } = request;
  if (asked !== undefined && from !== undefined) throw notDirect(request.DeliveryStreamName);
  return {
    ...(Tags !== undefined && { tags: tagsOf(Tags) }),
    ...(asked !== undefined && { encryption: { key: requestedKey(asked), changedAt: [] } }),
  };
}
