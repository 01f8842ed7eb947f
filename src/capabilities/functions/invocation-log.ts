import type { FunctionOutcome } from '../../ports/function-runtime.ts';
import { functionsLimits } from './limits.ts';

const MIB = 1024 * 1024;

/** The lines of one run, in Lambda's form: START, what the handler printed, END, REPORT. */
export class InvocationLog {
  readonly requestId: string;
  readonly #memoryMb: number;
  readonly #lines: string[];
  #bytes = 0;
  #skipped = 0;

  constructor(requestId: string, memoryMb: number) {
    this.requestId = requestId;
    this.#memoryMb = memoryMb;
    this.#lines = [`START RequestId: ${requestId} Version: $LATEST`];
  }

  /** Takes one line. */
  readonly add = (text: string): void => {
    this.#bytes += text.length;
    if (this.#bytes > functionsLimits.logEntryBytesMax) this.#skipped += 1;
    else this.#lines.push(text);
  };

  /** The run is over. */
  finish({ failure, durationMs, initMs, memoryBytesPeak }: FunctionOutcome): void {
    if (this.#skipped > 0) this.#lines.push(`[${this.#skipped} lines were dropped]`);
    if (failure?.type.startsWith('Runtime.') === true) this.#lines.push(failure.message);
    if (failure?.type === 'Sandbox.Timedout') this.#lines.push(failure.message);
    this.#lines.push(`END RequestId: ${this.requestId}`);
    const parts = [
      `REPORT RequestId: ${this.requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs)} ms`,
      `Memory Size: ${this.#memoryMb} MB`,
      `Max Memory Used: ${Math.ceil(memoryBytesPeak / MIB)} MB`,
      ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
      ...statusParts(failure?.type),
    ];
    this.#lines.push(`${parts.join('\t')}\t`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The last 4 KiB. */
  get tail(): string {
    const kept: string[] = [];
    let room: number = functionsLimits.logTailBytes;
    for (const line of this.#lines.toReversed()) {
      const bytes = Buffer.from(`${line}\n`);
      if (bytes.length > room) {
        kept.push(
          bytes
            .subarray(bytes.length - room)
            .toString()
            .replace(/^\ufffd+/, ''),
        );
        break;
      }
      room -= bytes.length;
      kept.push(`${line}\n`);
    }
    return kept.toReversed().join('');
  }
}

/** What Lambda reports of runs that it ended itself. */
function statusParts(type: string | undefined): readonly string[] {
  if (type === 'Sandbox.Timedout') return ['Status: timeout'];
  return type?.startsWith('Runtime.') === true ? ['Status: error', `Error Type: ${type}`] : [];
}
