import { parseConsumerArn, streamArn, type ConsumerArn } from '../../kernel/names.ts';
import type { Identity, NamedResource } from '../../ports/capability.ts';
import { streamNameOfArn } from './address.ts';
import { openOpaque } from './opaque.ts';
import { isOfConsumer } from './resource.ts';

type Input = Readonly<Record<string, unknown>>;

/** A stream by its name, or one of its consumers. */
type Named = string | ConsumerArn;

/** Where an opaque text keeps the name of its stream; of other kinds it cannot be told. */
const OPAQUE_KINDS = ['iterator', 'shards', 'consumers'] as const;

const NAME_CHARACTERS_MAX = 128;
/** As the shapes have it: an input is looked at here before it was checked. */
const ARN_CHARACTERS_MAX = 2048;
const SEALED_CHARACTERS_MAX = 1_048_576;

/** How each member that may name a stream is read, as the actions read it; undefined: it cannot be told which one. */
const NAMING: Readonly<Record<string, NamedIn>> = {
  StreamName: (text) => text,
  StreamARN: upTo(ARN_CHARACTERS_MAX, (text) => streamNameOfArn(text) ?? text),
  ShardIterator: upTo(SEALED_CHARACTERS_MAX, sealedName),
  NextToken: upTo(SEALED_CHARACTERS_MAX, sealedName),
  ConsumerARN: upTo(ARN_CHARACTERS_MAX, parseConsumerArn),
  ResourceARN: upTo(ARN_CHARACTERS_MAX, (text) => {
    return isOfConsumer(text) ? parseConsumerArn(text) : streamNameOfArn(text);
  }),
  // It names none, until AWS says what it is for.
  StreamId: () => undefined,
};

/**
 * All streams that an input names: by name, by ARN, by an iterator or by the token of a page, which may be forged but
 * say themselves what is read with them. A consumer counts as its stream, under its own ARN.
 */
export function namedStreams(input: Input, identity: Identity): readonly NamedResource[] {
  const found: NamedResource[] = [];
  for (const [member, namedIn] of Object.entries(NAMING)) {
    const given = Object.hasOwn(input, member) ? input[member] : undefined;
    if (given === undefined || given === null) continue;
    found.push(resource(typeof given === 'string' ? namedIn(given) : undefined, identity));
  }
  return found;
}

function resource(named: Named | undefined, { region, account }: Identity): NamedResource {
  const name = (typeof named === 'object' ? named.stream : named) ?? '';
  // Nothing has so long a name.
  if (name === '' || name.length > NAME_CHARACTERS_MAX) return { name: '', arn: '*' };
  const stream = streamArn(region, account, name);
  if (typeof named !== 'object') return { name, arn: stream };
  return { name, arn: `${stream}/consumer/${named.name}:${named.createdAtSeconds}` };
}

type NamedIn = (text: string) => Named | undefined;

function upTo(charactersMax: number, namedIn: NamedIn): NamedIn {
  return (text) => (text.length > charactersMax ? undefined : namedIn(text));
}

function sealedName(text: string): string | undefined {
  for (const kind of OPAQUE_KINDS) {
    const name = openOpaque(kind, text)?.['s'];
    if (typeof name === 'string') return name;
  }
  return undefined;
}
