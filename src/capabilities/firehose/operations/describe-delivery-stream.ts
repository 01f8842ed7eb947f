import { deliveryStreamArn, streamArn } from '../../../kernel/names.ts';
import * as s from '../../../kernel/schema/declare.ts';
import type { Json } from '../../../ports/catalog.ts';
import { operation } from '../../../ports/operation.ts';
import { describeEncryption } from '../encryption.ts';
import type { DeliveryStream, FirehoseState } from '../model.ts';
import { S3 } from '../targets.ts';
import {
  deliveryStreamName, deliveryStreamType, DESTINATION_ID, destinationId, keyArn, keyType, TARGET, versionId,
} from '../shapes.ts'; // prettier-ignore

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  Limit: s.optional(s.integer({ min: 1, max: 10_000 })),
  ExclusiveStartDestinationId: s.optional(destinationId),
});

const failure = s.struct({ Type: s.string(), Details: s.string() });

const source = s.struct({
  DirectPutSourceDescription: s.optional(s.struct({ ThroughputHintInMBs: s.integer() })),
  KinesisStreamSourceDescription: s.optional(
    s.struct({ KinesisStreamARN: s.string(), RoleARN: s.optional(s.string()), DeliveryStartTimestamp: s.timestamp() }),
  ),
});

const encryption = s.struct({
  KeyARN: s.optional(keyArn),
  KeyType: s.optional(keyType),
  Status: s.string(),
  FailureDescription: s.optional(failure),
});

const output = s.struct({
  DeliveryStreamDescription: s.struct({
    DeliveryStreamName: deliveryStreamName,
    DeliveryStreamARN: s.string(),
    DeliveryStreamStatus: s.string(),
    // Nothing that is answered with success fails later.
    FailureDescription: s.optional(failure),
    DeliveryStreamEncryptionConfiguration: s.optional(encryption),
    DeliveryStreamType: deliveryStreamType,
    VersionId: versionId,
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
    const delivery = state.deliveries.existing(request.DeliveryStreamName);
    const { region, account } = state.identity;
    const isAfter = (request.ExclusiveStartDestinationId ?? '') >= DESTINATION_ID;
    return {
      DeliveryStreamDescription: {
        DeliveryStreamName: delivery.name,
        DeliveryStreamARN: deliveryStreamArn(region, account, delivery.name),
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamEncryptionConfiguration: describeEncryption(delivery),
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
  const { from, directPut } = delivery;
  if (from === undefined) return directPut === undefined ? undefined : { DirectPutSourceDescription: directPut };
  const arn = delivery.source?.KinesisStreamARN ?? streamArn(identity.region, identity.account, from);
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
  const described = destination?.describe(target.options as never) ?? {};
  const backup = destination?.failures?.(target.options as never).backup;
  if (backup === undefined) return described;
  const s3 = destinations.find(({ name }) => name === S3);
  const { S3DestinationDescription } = s3?.describe(backup as never) ?? {};
  const withBackup = ([name, own]: [string, Json]): [string, Json] => [
    name,
    { ...(own as Readonly<Record<string, Json>>), ...(S3DestinationDescription && { S3DestinationDescription }) },
  ];
  return Object.fromEntries(Object.entries(described).map(withBackup));
}
