import type { Operation } from './operation.ts';

/** One change that somebody asked for; never holds a secret, or what was changed. */
export interface AuditEntry {
  /** The access key id that signed. */
  readonly who: string;
  /** For example `kinesis:CreateStream`, or `admin:Write`. */
  readonly action: string;
  /** ARNs, or a path of `/admin/`; at most ten. */
  readonly on: readonly string[];
  /** Address that the request came from. */
  readonly from: string;
  readonly requestId: string;
}

/** Keeps who changed what. */
export interface Audit {
  /** Runs the change and notes how it ended: `ok`, or an error's code. Ends as the change does, noted or not. */
  note<T>(entry: AuditEntry, change: () => Promise<T>): Promise<T>;
}

const READING = /^(Describe|Get|List)/;

/** Whether an action is noted: it changes what there is, beside records. */
export function isNoted({ name, plane, isNotBuilt }: Pick<Operation<never>, 'name' | 'plane' | 'isNotBuilt'>): boolean {
  return plane === 'control' && isNotBuilt !== true && !READING.test(name);
}
