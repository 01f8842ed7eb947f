/** `2026/01/31/23/` of a time in UTC. */
export function hourFolder(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13).replaceAll(/[-T]/g, '/') + '/';
}

/** What the key of an object is made of. */
export interface ObjectName {
  readonly prefix: string;
  readonly deliveryStream: string;
  readonly versionId: string;
  /** Arrival of the oldest record, ms. */
  readonly oldestAt: number;
  readonly uuid: string;
  /** `.gz`, or empty. */
  readonly ending: string;
}

/**
 * `<prefix>yyyy/MM/dd/HH/<stream>-<versionId>-yyyy-MM-dd-HH-mm-ss-<uuid><ending>`, all times those of the oldest
 * record, in UTC. As on AWS no slash comes between a prefix and the year.
 */
export function objectKey({ prefix, deliveryStream, versionId, oldestAt, uuid, ending }: ObjectName): string {
  const time = new Date(oldestAt).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  return `${prefix}${hourFolder(oldestAt)}${deliveryStream}-${versionId}-${time}-${uuid}${ending}`;
}
