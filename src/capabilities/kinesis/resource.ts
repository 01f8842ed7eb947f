import type { RequestError } from '../../kernel/errors.ts';
import type { StreamInfo } from '../../ports/records.ts';
import { findStream, onStream, streamNameOfArn } from './address.ts';
import { consumerOfArn } from './consumer-address.ts';
import type { Consumer } from './consumers.ts';
import { kinesisError } from './errors.ts';
import type { KinesisState } from './model.ts';
import { changeStream, packSettings, settingsOf } from './settings.ts';

/** What an ARN may name beside channels and queues, which there are none of: a stream or one of its consumers. */
type Resource = { readonly stream: StreamInfo } | { readonly consumer: Consumer };

/** What can be changed of a resource. */
interface ResourceChange {
  readonly tags?: Readonly<Record<string, string>>;
  /** `null` removes it. */
  readonly policy?: string | null;
}

/** What is kept of a resource. */
interface Kept {
  readonly tags: Readonly<Record<string, string>>;
  readonly policy?: string | undefined;
}

/** Whether an ARN means a consumer, rather than the stream that it names as well. */
export function isOfConsumer(arn: string): boolean {
  return arn.includes('/consumer/');
}

/** The resource of an ARN, whose region and account are not looked at. ResourceNotFoundException. */
export function addressedResource(state: KinesisState, arn: string): Resource {
  if (isOfConsumer(arn)) return { consumer: consumerOfArn(state, arn) };
  const name = streamNameOfArn(arn);
  if (name !== undefined) return { stream: findStream(state, name) };
  throw kinesisError('ResourceNotFoundException', `Resource ${arn}, account ${state.identity.account} not found.`);
}

/** There is a resource, but no policy of it. */
export function policyNotFound(arn: string): RequestError {
  return kinesisError('ResourceNotFoundException', `No resource policy found for resource ARN ${arn}.`);
}

/** Tags and policy as they are. */
export function keptOf(resource: Resource): Kept {
  if ('consumer' in resource) return resource.consumer;
  return { tags: resource.stream.tags, policy: settingsOf(resource.stream).policy };
}

/** Changes tags or policy of the resource as it stands. Rejects as `change` does; ResourceNotFoundException. */
export async function changeResource(
  state: KinesisState,
  arn: string,
  change: (kept: Kept) => ResourceChange,
): Promise<void> {
  const resource = addressedResource(state, arn);
  if ('consumer' in resource) {
    const { consumer } = resource;
    const isDone = await onStream(state, consumer.stream, async () => {
      return await state.consumers.change(consumer, change);
    });
    // Deregistered meanwhile: it is not found, as it would be a moment later.
    if (!isDone) addressedResource(state, arn);
    return;
  }
  await changeStream(state, resource.stream, (current, settings) => {
    const { tags, policy } = change({ tags: current.tags, policy: settings.policy });
    return {
      ...(tags !== undefined && { tags }),
      ...(policy !== undefined && packSettings({ ...settings, policy: policy ?? undefined })),
    };
  });
}
