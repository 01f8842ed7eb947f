/** Text forms of AWS names. */

/** `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`. */
export function streamArn(region: string, account: string, name: string): string {
  return `arn:aws:kinesis:${region}:${account}:stream/${name}`;
}

/** `STREAM_ARN/consumer/NAME:EPOCH`, the seconds since 1970 in which it was registered. */
export function consumerArn(stream: string, name: string, createdAtMs: number): string {
  return `${stream}/consumer/${name}:${Math.floor(createdAtMs / 1000)}`;
}

/** The parts of a consumer's ARN; `createdAtSeconds` as digits. */
export interface ConsumerArn {
  readonly stream: string;
  readonly name: string;
  readonly createdAtSeconds: string;
}

/** What a consumer's ARN names, or undefined when the text is none. */
export function parseConsumerArn(arn: string): ConsumerArn | undefined {
  const parts = /:stream\/([\w.-]+)\/consumer\/([\w.-]+):(\d+)$/.exec(arn);
  const [, stream = '', name = '', createdAtSeconds = ''] = parts ?? [];
  return parts === null ? undefined : { stream, name, createdAtSeconds };
}

/** `arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME`. */
export function deliveryStreamArn(region: string, account: string, name: string): string {
  return `arn:aws:firehose:${region}:${account}:deliverystream/${name}`;
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME`. */
export function functionArn(region: string, account: string, name: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`;
}

/** `shardId-000000000000`: the ordinal in twelve digits. */
export function shardId(ordinal: number): string {
  return `shardId-${String(ordinal).padStart(12, '0')}`;
}

/** The part of an ARN after the last `/`, or after `:::` for buckets; a short name is returned as it is. */
export function nameOfArn(arnOrName: string): string {
  if (!arnOrName.startsWith('arn:')) return arnOrName;
  const resource = arnOrName.split(':').slice(5).join(':');
  return resource.slice(resource.lastIndexOf('/') + 1);
}

/** Streams whose name starts with `$` belong to millrace itself and are invisible to the Kinesis API. */
export function isInternal(name: string): boolean {
  return name.startsWith('$');
}

/** What a config is told that would write to one of them: what others write there, its own readers cannot read. */
export const INTERNAL_PROBLEM = 'names a stream of millrace itself: name another one';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Two dots in a row, or an IPv4 address. */
const NO_BUCKET = /\.\.|^\d+\.\d+\.\d+\.\d+$/;
/** What S3 keeps for itself (its rules for general purpose buckets). */
const RESERVED_BUCKET = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** Whether S3 would take the name for a bucket. */
export function isBucketName(name: string): boolean {
  return BUCKET.test(name) && !NO_BUCKET.test(name) && !RESERVED_BUCKET.test(name);
}
