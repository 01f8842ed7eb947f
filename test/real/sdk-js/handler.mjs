/** A handler as it would be deployed to AWS: its client knows nothing but the environment it is given. */
import { KinesisClient, PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';

const client = new KinesisClient({});
const StreamName = process.env.STREAM_NAME;

export const handler = async ({ orders }) => {
  const [first, ...others] = orders.map((order) => ({
    PartitionKey: order.id,
    Data: new TextEncoder().encode(JSON.stringify(order)),
  }));
  const { ShardId, SequenceNumber } = await client.send(new PutRecordCommand({ StreamName, ...first }));
  const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records: others }));
  return { ShardId, SequenceNumber, FailedRecordCount };
};
