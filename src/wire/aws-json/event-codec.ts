import { Defect } from '../../kernel/errors.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { WholeBody } from '../../ports/http.ts';
import { RawAnswer, type OutgoingEvent } from '../../ports/operation.ts';
import type { EventCodec } from '../event-stream/index.ts';
import type { AwsCodec } from './codec.ts';

/** Payloads of events as the codec writes them; `shapes` are those of the operation, by name. */
export function eventCodec(
  shapes: Readonly<Record<string, Schema>>,
  codec: AwsCodec,
  exception: EventCodec['exception'],
): EventCodec {
  const known = new Map(Object.entries(shapes));
  return {
    contentType: codec.contentType,
    event: ({ type, value }: OutgoingEvent) => {
      const shape = known.get(type);
      if (shape === undefined) throw new Defect(`the operation declares no event ${type}`);
      return pieces(value instanceof RawAnswer ? value.body : codec.value(shape, value));
    },
    members: (value) => Buffer.concat(pieces(codec.members(value))),
    exception,
  };
}

function pieces(body: WholeBody): readonly Uint8Array[] {
  if (typeof body === 'string') return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}
