import { Defect } from '../../kernel/errors.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import { RawAnswer, type OutgoingEvent, type RawJson } from '../../ports/operation.ts';
import type { EventCodec } from '../event-stream/index.ts';
import { encodeAwsJson } from './encode.ts';

/** Payloads of events in JSON; `shapes` are those of the operation, by name. */
export function jsonEvents(
  shapes: Readonly<Record<string, Schema>>,
  contentType: string,
  exception: EventCodec['exception'],
): EventCodec {
  const known = new Map(Object.entries(shapes));
  return {
    contentType,
    event: ({ type, value }: OutgoingEvent) => {
      if (value instanceof RawAnswer) return pieces(value.json);
      const shape = known.get(type);
      if (shape === undefined) throw new Defect(`the operation declares no event ${type}`);
      return pieces(JSON.stringify(encodeAwsJson(shape, value)));
    },
    members: (value) => Buffer.from(JSON.stringify(value)),
    exception,
  };
}

function pieces(json: RawJson): readonly Uint8Array[] {
  if (typeof json === 'string') return [Buffer.from(json)];
  return json instanceof Uint8Array ? [json] : json;
}
