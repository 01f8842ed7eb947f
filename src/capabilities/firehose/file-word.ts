import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../kernel/json.ts';
import type { DeliverySettings } from '../../ports/destination.ts';
import { backupProblem } from './destination-update.ts';
import type { DeliveryStream, Target } from './model.ts';

/** What the file says of a delivery stream. */
export interface FileWord {
  readonly target: Target;
  readonly from: string | undefined;
  readonly settings: DeliverySettings | undefined;
}

/** What becomes of a delivery stream by the file's word; `hint`: what of it does not hold, and what to do. */
export interface Applied {
  /** As it was where nothing changes. */
  readonly delivery: DeliveryStream;
  readonly hint?: string;
}

/** Stands for what a file says of a destination, which may hold secrets; the same for the same. */
export function fileMark(options: Json): string {
  return createHash('sha256').update(canonicalJson(options)).digest('base64url');
}

/** Applies the file's word at `now`, in ms. */
export function byFile(existing: DeliveryStream, word: FileWord, now: number): Applied {
  const { name, from, target } = existing;
  if (from !== word.from || target.kind !== word.target.kind) {
    const command = `aws firehose delete-delivery-stream --delivery-stream-name ${name}`;
    return { delivery: existing, hint: `source and kind of destination stay for life: ${command}` };
  }
  const hint = keptHint(existing, word.target);
  if (hint !== undefined) return { delivery: changed(existing, { ...word, target }, now), hint };
  const { changedBeside, ...rest } = existing;
  return { delivery: changed(changedBeside === undefined ? existing : rest, word, now) };
}

/** Why the destination stays as it is though the file says something else of it. */
function keptHint({ target, version, changedBeside }: DeliveryStream, wanted: Target): string | undefined {
  if (isSame(target.options, wanted.options)) return undefined;
  if (changedBeside === fileMark(wanted.options)) {
    return `UpdateDestination made it version ${version}, which holds until the file says something else of it`;
  }
  return backupProblem(target.options, wanted.options);
}

function changed(delivery: DeliveryStream, { target, settings }: Omit<FileWord, 'from'>, now: number): DeliveryStream {
  const { settings: before, ...rest } = delivery;
  if (isSame(delivery.target.options, target.options) && before?.on413 === settings?.on413) return delivery;
  return {
    ...rest,
    target,
    ...(settings !== undefined && { settings }),
    version: delivery.version + 1,
    updatedAt: now,
  };
}

/** The catalog keeps members in its own order. */
function isSame(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
