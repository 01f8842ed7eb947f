import * as s from '../../kernel/schema/declare.ts';
import { sseLimits } from './limits.ts';

/** A header that proves nothing, and its value. */
const PLAIN_HEADER =
  ' *(accept|accept-charset|accept-encoding|accept-language|cache-control|from|last-event-id|origin|pragma|referer|' +
  'user-agent) *\\|[^|]*';
const path = { min: 1, max: 256 };

/** The word `sse` of a source. The first five are the properties of AWS's Flink sample, by its names. */
export const sseOptions = s.struct(
  {
    url: s.optional(s.string({ min: 1, max: 4096, doc: 'Where the events are; here or in `properties`.' })),
    headers: s.optional(
      s.string({
        min: 1,
        max: 16_384,
        secret: true,
        harmless: `${PLAIN_HEADER}(\\|${PLAIN_HEADER})*`,
        doc: 'Headers of the request, names and values by turns: `User-Agent|me|x-api-key|demo`.',
      }),
    ),
    types: s.optional(
      s.string({
        min: 1,
        max: 4096,
        doc: 'Types of events to keep: `a|b`; without it, all. An event without a type is a `message`.',
      }),
    ),
    readTimeoutMS: s.optional(
      s.integer({
        min: 0,
        max: sseLimits.millisecondsMax,
        doc: `Silence after which it connects again, in ms (${sseLimits.readTimeoutMs}); 0: never.`,
      }),
    ),
    reportMessagesReceivedMS: s.optional(
      s.integer({
        min: 0,
        max: sseLimits.millisecondsMax,
        doc: 'How often the log says how many events came, in ms (0: never).',
      }),
    ),
    properties: s.optional(
      s.string({
        min: 1,
        max: 4096,
        doc: 'JSON file with the runtime properties of the sample; words given here win over those in it.',
      }),
    ),
    dedupeKey: s.optional(
      s.string({ ...path, doc: 'Path to what names an event in its JSON, such as `meta.id`: it is stored once.' }),
    ),
    maxEventBytes: s.optional(
      s.integer({
        min: 1,
        max: sseLimits.eventBytesMaxMax,
        doc: `Largest event, in bytes (${sseLimits.eventBytesMax}); larger ones are left out and counted.`,
      }),
    ),
    skip: s.optional(
      s.map(s.string({ max: 1024 }), {
        key: s.string(path),
        max: 32,
        doc: 'Events left out: path in their JSON to the text that stands there, such as `meta.domain: canary`.',
      }),
    ),
  },
  { doc: 'Server-sent events of an HTTP server.' },
);
