import { deliveryStreamArn, nameOfArn, streamArn } from '../../kernel/names.ts';
import type { Identity, NamedResource } from '../../ports/capability.ts';

type Input = Readonly<Record<string, unknown>>;
type Arn = (region: string, account: string, name: string) => string;

const NAME_CHARACTERS_MAX = 128;

/** The delivery that an input names, and the stream that a new one is to read. */
export function namedDeliveries(input: Input, identity: Identity): readonly NamedResource[] {
  const found: NamedResource[] = [];
  const delivery = own(input, 'DeliveryStreamName');
  if (delivery !== undefined) found.push(named(delivery, deliveryStreamArn, identity));
  const source = own(input, 'KinesisStreamSourceConfiguration');
  if (source === undefined) return found;
  const stream = typeof source === 'object' ? own(source as Input, 'KinesisStreamARN') : undefined;
  // Read as the action reads it.
  return [...found, named(typeof stream === 'string' ? nameOfArn(stream) : undefined, streamArn, identity)];
}

/** Nothing has a longer name; what is no name cannot be told. */
function named(given: unknown, arn: Arn, { region, account }: Identity): NamedResource {
  const name = typeof given === 'string' && given.length <= NAME_CHARACTERS_MAX ? given : '';
  return { name, arn: name === '' ? '*' : arn(region, account, name) };
}

function own(input: Input, member: string): unknown {
  return Object.hasOwn(input, member) ? (input[member] ?? undefined) : undefined;
}
