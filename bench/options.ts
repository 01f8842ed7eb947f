import { parseArgs } from 'node:util';
import { wires, type Wire } from './wire.ts';

/** When answers of a millrace contender are durable. */
export type SyncMode = 'always' | 'interval' | 'none';

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly rounds: number;
  /** Seconds of putting in each measurement. */
  readonly seconds: number;
  /** Names of scenarios; undefined: those that need no name. */
  readonly only: readonly string[] | undefined;
  readonly peers: 'none' | 'all';
  /** One millrace contender for each. */
  readonly sync: readonly SyncMode[];
  /** The same for each of these. */
  readonly wires: readonly Wire[];
  /** Drain single puts a second time once the log has settled them. */
  readonly settled: boolean;
  /** Every request of every contender is signed; millrace verifies as one contender more. */
  readonly signed: boolean;
  /** Records that `retain` and `restart` keep. */
  readonly records: number;
  /** Where the raw figures go. */
  readonly json: string | undefined;
}

const SYNC_MODES: readonly SyncMode[] = ['always', 'interval', 'none'];

/** Reads the command line; throws an Error that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string' },
      peers: { type: 'string', default: 'all' },
      sync: { type: 'string', default: 'always' },
      wire: { type: 'string', default: 'json' },
      settled: { type: 'boolean', default: false },
      signed: { type: 'boolean', default: false },
      records: { type: 'string', default: '10000000' },
      json: { type: 'string' },
    },
  });
  const { peers, settled, signed, json } = values;
  if (signed && settled) throw new Error('--settled asks for metrics unsigned: not with --signed');
  if (peers !== 'none' && peers !== 'all') throw new Error('--peers is none or all');
  return {
    rounds: atLeastOne('--rounds', values.rounds),
    seconds: atLeastOne('--seconds', values.seconds),
    only: values.only?.split(',').map((name) => name.trim()),
    peers,
    sync: values.sync.split(',').map(syncMode),
    wires: values.wire.split(',').map(wireOf),
    settled,
    signed,
    records: atLeastOne('--records', values.records),
    json,
  };
}

function atLeastOne(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is a whole number, at least 1`);
  return value;
}

function syncMode(text: string): SyncMode {
  const mode = SYNC_MODES.find((known) => known === text.trim());
  if (mode === undefined) throw new Error(`--sync is a list of ${SYNC_MODES.join(', ')}`);
  return mode;
}

function wireOf(text: string): Wire {
  const wire = Object.values(wires).find(({ name }) => name === text.trim());
  if (wire === undefined) throw new Error(`--wire is a list of ${Object.keys(wires).join(', ')}`);
  return wire;
}
