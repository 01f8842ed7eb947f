import { canonicalJson, type Json } from '../../kernel/json.ts';
import type { DeliverySettings } from '../../ports/destination.ts';
import { backupProblem, withoutRivals } from './destination-update.ts';
import { differences, markOf, marksOf, mergedWord, type Marks } from './merged-word.ts';
import type { DeliveryStream, Target } from './model.ts';

/** What the file says of a delivery stream. */
export interface FileWord {
  readonly target: Target;
  readonly from: string | undefined;
  readonly settings: DeliverySettings | undefined;
}

/** What the file's word is applied with. */
export interface Applying {
  /** In ms. */
  readonly now: number;
  /** Why no delivery can be to this, in a sentence. */
  readonly problem: (target: Target) => string | undefined;
}

/** What becomes of a delivery stream by the file's word; `hint`: what of it does not hold, and what to do. */
export interface Applied {
  /** As it was where nothing changes. */
  readonly delivery: DeliveryStream;
  readonly hint?: string;
}

/** Members that a hint names at most. */
const NAMED_MAX = 10;

/** Applies the file's word: it holds for what it says anew, and what requests changed beside it stays. */
export function byFile(existing: DeliveryStream, word: FileWord, { now, problem }: Applying): Applied {
  const { name, from, target } = existing;
  if (from !== word.from || target.kind !== word.target.kind) {
    const command = `aws firehose delete-delivery-stream --delivery-stream-name ${name}`;
    return { delivery: existing, hint: `source and kind of destination stay for life: ${command}` };
  }
  const wanted = word.target.options;
  const merged = mergedOptions(existing, wanted);
  const stays = backupProblem(target.options, merged);
  if (stays !== undefined) return { delivery: changed(existing, { ...word, target }, now), hint: stays };
  const broken = isSame(merged, target.options) ? undefined : problem({ ...target, options: merged });
  const options = broken === undefined ? merged : wanted;
  const fileMarks = marksOf(wanted);
  const delivery = changed(existing, { ...word, target: { ...target, options }, fileMarks }, now);
  const beside = listed(differences(merged, wanted));
  if (beside === '') return { delivery };
  if (broken !== undefined) {
    return {
      delivery,
      hint: `${beside}: what UpdateDestination said does not go with the file, and is gone: ${broken}`,
    };
  }
  return { delivery, hint: `${beside}: as the API made it, which holds until the file says something else of it` };
}

function mergedOptions(existing: DeliveryStream, wanted: Json): Json {
  const current = existing.target.options;
  const merged = mergedWord(current, wanted, existing.fileMarks ?? formerMarks(existing, wanted));
  const named = Object.entries(wanted as object).filter(([name]) => Object.hasOwn(merged as object, name));
  return withoutRivals(merged as Readonly<Record<string, Json>>, Object.fromEntries(named)) as Json;
}

/** Versions before this one kept a mark of the whole, and only of what was changed beside the file. */
function formerMarks({ changedBeside }: DeliveryStream, wanted: Json): Marks {
  return changedBeside === markOf(wanted) ? marksOf(wanted) : {};
}

interface Change extends Omit<FileWord, 'from'> {
  readonly fileMarks?: Marks;
}

function changed(delivery: DeliveryStream, { target, settings, fileMarks }: Change, now: number): DeliveryStream {
  const { settings: before, changedBeside: _, ...rest } = delivery;
  const marks = fileMarks ?? delivery.fileMarks;
  const isSettled = isSame(delivery.target.options, target.options) && before?.on413 === settings?.on413;
  if (isSettled && isSame(delivery.fileMarks ?? null, marks ?? null)) return delivery;
  return {
    ...rest,
    target,
    ...(settings !== undefined && { settings }),
    ...(marks !== undefined && { fileMarks: marks }),
    ...(!isSettled && { version: delivery.version + 1, updatedAt: now }),
  };
}

/** As it is once no file names it. */
export function withoutFile(delivery: DeliveryStream): DeliveryStream {
  if (delivery.fileMarks === undefined) return delivery;
  const { fileMarks: _, ...rest } = delivery;
  return rest;
}

/** The catalog keeps members in its own order. */
function isSame(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function listed(paths: readonly string[]): string {
  const more = paths.length > NAMED_MAX ? ` and ${paths.length - NAMED_MAX} more` : '';
  return `${paths.slice(0, NAMED_MAX).join(', ')}${more}`;
}
