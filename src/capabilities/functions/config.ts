import * as s from '../../kernel/schema/declare.ts';
import { functionsLimits as limits } from './limits.ts';

const variableName = s.string({ min: 1, max: 256, pattern: '[A-Za-z_][A-Za-z0-9_]*' });

const service = s.struct({
  kinesis: s.optional(
    s.struct(
      { region: s.optional(s.string({ min: 1, max: 64, doc: 'Of its signatures; default that of the node.' })) },
      { doc: 'The AWS service: Kinesis and Firehose of this node.' },
    ),
  ),
  mongodb: s.optional(s.string({ min: 1, max: 4096, hidden: true, doc: 'The URI of a MongoDB cluster.' })),
});

const definition = s.struct({
  runtime: s.either([s.string({ values: ['node', 'python', 'realm'] })], {
    doc: 'The language: node (modules and scripts), python (3.9 or newer), realm (functions of Atlas App Services).',
  }),
  code: s.string({ min: 1, max: 4096, doc: 'The folder with the code; relative to the config file.' }),
  handler: s.string({
    min: 3,
    max: 512,
    pattern: '[^\\s]+\\.[^\\s]+',
    doc: '`file.export`, or for Python `module.function`; both as on Lambda.',
  }),
  python: s.optional(
    s.string({ min: 1, max: 4096, doc: 'The interpreter, as of a virtual environment; default `python3` of PATH.' }),
  ),
  timeoutSeconds: s.optional(
    s.integer({ min: 1, max: limits.timeoutSecondsMax, doc: `Longest run; default ${limits.timeoutSeconds}.` }),
  ),
  memoryMb: s.optional(
    s.integer({
      min: limits.memoryMbMin,
      max: limits.memoryMbMax,
      doc: `Resident memory of the process and its children; with more they are ended. Default ${limits.memoryMb}.`,
    }),
  ),
  env: s.optional(
    s.map(s.string({ max: 65_536 }), { key: variableName, hidden: true, doc: 'Its environment variables.' }),
  ),
  values: s.optional(s.map(s.any(), { hidden: true, doc: 'For `realm`: what `context.values.get` finds.' })),
  services: s.optional(
    s.map(service, { doc: 'For `realm`: what `context.services.get` finds; each is one of the two.' }),
  ),
  concurrency: s.optional(
    s.integer({
      min: 1,
      max: limits.concurrencyMax,
      doc: `Processes at once, each with one event; default ${limits.concurrency}. More events wait.`,
    }),
  ),
  idleSeconds: s.optional(
    s.integer({
      min: 1,
      max: limits.idleSecondsMax,
      doc: `After so long without an event a process ends; default ${limits.idleSeconds}.`,
    }),
  ),
  allow: s.optional(
    s.list(s.string({ min: 1, max: 128 }), {
      max: 100,
      doc: 'Patterns of actions that its key pair may do beside those of the data plane, as in `server.credentials`.',
    }),
  ),
  retries: s.optional(
    s.integer({
      min: 0,
      max: limits.retries,
      doc: `Further tries of an Event that failed; default ${limits.retries}.`,
    }),
  ),
  retryAfterSeconds: s.optional(
    s.list(s.integer({ min: 0, max: 3600 }), {
      min: 1,
      max: limits.retries,
      doc: 'Waits before the second and the third try of an Event; default 60 and 120, as on AWS.',
    }),
  ),
  maximumEventAgeSeconds: s.optional(
    s.integer({
      min: limits.eventAgeSecondsMin,
      max: limits.eventAgeSeconds,
      doc: `An Event that is older is not tried again; default ${limits.eventAgeSeconds}.`,
    }),
  ),
  onFailure: s.optional(
    s.string({ min: 1, max: 128, doc: 'The stream that gets a record of each Event that failed for good.' }),
  ),
});

/** The section `functions`: names to handlers. */
export const functionsOptions = s.map(definition, {
  key: s.string({ min: 1, max: limits.nameCharactersMax, pattern: '[a-zA-Z0-9_-]+' }),
  max: limits.functionsMax,
  doc: 'Handlers in processes of their own, by name, as on AWS Lambda.',
});

/** A checked section. */
export type FunctionsOptions = s.Static<typeof functionsOptions>;

/** One entry of it. */
export type FunctionOptions = s.Static<typeof definition>;
