import type { Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { isDocument, isOn, numberOf, wholeNumber } from './values.ts';

/** What happens to a command instead of what it asks for. */
export interface Failure {
  /** The connection ends without an answer; `after`: once the command was carried out. */
  readonly closeConnection?: 'before' | 'after';
  readonly errorCode?: number;
  readonly errorLabels?: readonly string[];
  readonly errorMessage?: string;
  /**
   * The statement of a write that fails so, by its place: it is told among the answer's `writeErrors`, and the others
   * run as they would beside one that failed by itself. Absent: the command as a whole fails.
   */
  readonly writeErrorAt?: number;
}

/** The words of a failure that brings none. */
export const BY_SCRIPT = "Failing command via 'failCommand' failpoint";

/** A failure, the commands it is for, and how often it happens. */
export interface FailPoint extends Failure {
  readonly commands: readonly string[];
  readonly times: number;
}

const FIELDS = ['failCommands', 'closeConnection', 'errorCode', 'errorLabels'];
const POINTS_MAX = 100;

/** Failures by script, each for the next commands of a name; the door for it is the servers' own `failCommand`. */
export class FailPoints {
  #points: { point: FailPoint; left: number }[] = [];

  add(point: FailPoint): void {
    if (this.#points.length >= POINTS_MAX) throw new PeerError('BadValue', `at most ${POINTS_MAX} fail points`);
    this.#points.push({ point, left: point.times });
  }

  clear(): void {
    this.#points = [];
  }

  /** The failure due for a command, which counts as one of its times. */
  take(command: string): Failure | undefined {
    const due = this.#points.find(({ point }) => point.commands.includes(command));
    if (due === undefined) return undefined;
    due.left -= 1;
    this.#points = this.#points.filter(({ left }) => left > 0);
    return due.point;
  }

  /** The command `configureFailPoint` of servers that are tested. */
  configure({ configureFailPoint: name, mode, data }: Document): void {
    if (name !== 'failCommand') throw unsupported(`the fail point ${String(name)}`);
    if (mode === 'off') return this.clear();
    const times =
      mode === 'alwaysOn' ? Infinity : isDocument(mode) ? wholeNumber(mode['times'], 'mode.times') : undefined;
    if (times === undefined || times < 1) throw unsupported('this mode of a fail point');
    if (!isDocument(data)) throw new PeerError('BadValue', 'failCommand needs data');
    const unknown = Object.keys(data).find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) throw unsupported(`failCommand's ${unknown}`);
    const { failCommands, closeConnection = false, errorCode, errorLabels } = data;
    if (!isTexts(failCommands)) throw new PeerError('BadValue', 'failCommands must be an array of names');
    if (errorLabels !== undefined && !isTexts(errorLabels))
      throw new PeerError('BadValue', 'errorLabels must be texts');
    this.add({
      commands: failCommands,
      times,
      ...(isOn(closeConnection) && { closeConnection: 'before' }),
      ...(numberOf(errorCode) !== undefined && { errorCode: wholeNumber(errorCode, 'errorCode') }),
      ...(errorLabels !== undefined && { errorLabels }),
    });
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}
