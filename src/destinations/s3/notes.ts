import { hintsInForce } from '../../kernel/buffering-hints.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { ObjectOptions, S3Options } from './options.ts';

/** What AWS's console takes at least, while its API takes 0. */
const CONSOLE_SECONDS_MIN = 60;
const DAY_SECONDS = 86_400;
const IGNORED = 'is kept and described, and otherwise ignored: no role is needed here';

/** What works, but perhaps not as it was meant: what is ignored, and what makes many small objects. */
export function notes(options: S3Options): readonly SectionProblem[] {
  const { S3BackupMode: mode, S3BackupConfiguration: backup } = options;
  const ofBackup = mode === 'Enabled' && backup !== undefined ? notesOfBucket(backup) : [];
  return [
    ...notesOfBucket(options),
    ...ofBackup.map(({ path, message }) => ({ path: ['S3BackupConfiguration', ...path], message })),
  ];
}

function notesOfBucket({ RoleARN, BufferingHints: hints }: ObjectOptions): readonly SectionProblem[] {
  const { SizeInMBs, IntervalInSeconds } = hintsInForce(hints);
  const found: SectionProblem[] = [];
  if (RoleARN !== undefined) found.push({ path: ['RoleARN'], message: IGNORED });
  if (IntervalInSeconds < CONSOLE_SECONDS_MIN) {
    const message = `${IntervalInSeconds} s ${CONSOLE}; ${forecast(IntervalInSeconds)}`;
    found.push({ path: ['BufferingHints', 'IntervalInSeconds'], message });
  }
  if (SizeInMBs < hintsInForce().SizeInMBs) {
    const message = `no object holds more than ${SizeInMBs} MiB before compression; ${LARGER}`;
    found.push({ path: ['BufferingHints', 'SizeInMBs'], message });
  }
  return found;
}

const CONSOLE = `is below the ${CONSOLE_SECONDS_MIN} s that AWS's console takes at least`;
const LARGER = 'who reads them has less to do with fewer, larger ones';

function forecast(seconds: number): string {
  if (seconds === 0) return 'with steady traffic each record or few are an object of their own';
  const daily = Math.floor(DAY_SECONDS / seconds);
  return `with steady traffic ${daily} objects a day or more, small ones where little comes in ${seconds} s`;
}
