import { deliveryStreamArn, streamArn } from '../../../kernel/names.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { deliveryStreamNotFound } from '../errors.ts';
import type { DeliveryStream, FirehoseState } from '../model.ts';
import { deliveryStreamName, TARGET } from '../shapes.ts';

const DESTINATION_ID = 'destinationId-000000000001';

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  Limit: s.optional(s.integer({ min: 1, max: 10_000 })),
  ExclusiveStartDestinationId: s.optional(s.string({ min: 1, max: 100, pattern: '[a-zA-Z0-9-]+' })),
});

const source = s.struct({
  KinesisStreamSourceDescription: s.struct({
    KinesisStreamARN: s.string(),
    RoleARN: s.optional(s.string()),
    DeliveryStartTimestamp: s.timestamp(),
  }),
});

const output = s.struct({
  DeliveryStreamDescription: s.struct({
    DeliveryStreamName: deliveryStreamName,
    DeliveryStreamARN: s.string(),
    DeliveryStreamStatus: s.string(),
    DeliveryStreamType: s.string(),
    VersionId: s.string(),
    CreateTimestamp: s.timestamp(),
    LastUpdateTimestamp: s.timestamp(),
    Source: s.optional(source),
    // Each destination describes itself, in plain JSON.
    Destinations: s.list(s.any()),
    HasMoreDestinations: s.boolean(),
  }),
});

/** Describes a delivery stream with its destination. */
export const describeDeliveryStream = operation<FirehoseState>()({
  name: 'DescribeDeliveryStream',
  target: TARGET,
  input,
  output,
  errors: ['ResourceNotFoundException'],
  plane: 'control',
  doc: 'Describes a delivery stream with its destination.',
  async handle(request, { state }) {
    const delivery = state.deliveries.get(request.DeliveryStreamName);
    if (delivery === undefined) throw deliveryStreamNotFound(request.DeliveryStreamName, state.identity.account);
    const { region, account } = state.identity;
    const isAfter = (request.ExclusiveStartDestinationId ?? '') >= DESTINATION_ID;
    return {
      DeliveryStreamDescription: {
        DeliveryStreamName: delivery.name,
        DeliveryStreamARN: deliveryStreamArn(region, account, delivery.name),
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamType: delivery.from === undefined ? 'DirectPut' : 'KinesisStreamAsSource',
        VersionId: String(delivery.version),
        CreateTimestamp: delivery.createdAt,
        LastUpdateTimestamp: delivery.updatedAt,
        Source: describeSource(delivery, state),
        Destinations: isAfter ? [] : [{ DestinationId: DESTINATION_ID, ...describeTarget(delivery, state) }],
        HasMoreDestinations: false,
      },
    };
  },
});

function describeSource(delivery: DeliveryStream, { identity }: FirehoseState): object | undefined {
  if (delivery.from === undefined) return undefined;
  const arn = delivery.source?.KinesisStreamARN ?? streamArn(identity.region, identity.account, delivery.from);
  return {
    KinesisStreamSourceDescription: {
      ...delivery.source,
      KinesisStreamARN: arn,
      DeliveryStartTimestamp: delivery.createdAt,
    },
  };
}

function describeTarget({ target }: DeliveryStream, { destinations }: FirehoseState): object {
  const destination = destinations.find(({ name }) => name === target.kind);
  // What describes itself never tells a secret; what nobody here knows is not described at all.
  return destination?.describe(target.options as never) ?? {};
}
