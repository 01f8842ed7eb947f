import type { Doors } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import { Account } from './account.ts';
import { openAnswerMemory } from './answer-memory.ts';
import { Consumers } from './consumers.ts';
import { FanOut } from './fan-out.ts';
import type { KinesisState } from './model.ts';

/** What Kinesis actions work with, on these doors. */
export function openKinesisState(
  { records, catalog, identity }: Pick<Doors, 'records' | 'catalog' | 'identity'>,
  environment: Environment,
): KinesisState {
  const consumers = new Consumers(catalog, records);
  const memory = openAnswerMemory();
  return {
    records,
    consumers,
    fanOut: new FanOut({ records, consumers, identity, environment, memory }),
    account: new Account(catalog),
    identity,
    environment,
    memory,
    named: new Set(),
  };
}
