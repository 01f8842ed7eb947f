export { base64, NodeBench as Bench, type Answer } from '../../testing/node-bench.ts';

/** Smallest options of a destination that this version can fill. */
export function toBucket(
  BucketARN = 'arn:aws:s3:::archive',
  IntervalInSeconds = 5,
): { ExtendedS3DestinationConfiguration: object } {
  return {
    ExtendedS3DestinationConfiguration: { BucketARN, BufferingHints: { SizeInMBs: 1, IntervalInSeconds } },
  };
}
