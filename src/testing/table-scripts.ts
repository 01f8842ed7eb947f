import { EnvironmentError } from '../kernel/errors.ts';
import type { Json } from '../kernel/json.ts';
import type { Script, ScriptArgument, ScriptOutcome, ScriptRuntime, ScriptSpec } from '../ports/script.ts';

/** What stands for a script: the arguments as it would have them, to its result. What it throws is its failure. */
export type PlainScript = (...values: readonly (Json | undefined)[]) => Json | undefined;

/** A runtime that knows scripts by their text and runs nothing: the same in every run. */
export function tableScripts(table: ReadonlyMap<string, PlainScript>): ScriptRuntime {
  let isClosed = false;
  const open = ({ text }: ScriptSpec): Script => {
    const run = table.get(text);
    const outcomeOf = (given: readonly ScriptArgument[]): ScriptOutcome => {
      if (run === undefined) return failed('syntax', `no script ${JSON.stringify(text)}`);
      try {
        const result = run(...given.map(valueOf));
        return result === undefined
          ? failed('result', 'returned nothing')
          : { json: JSON.stringify(result), printed: [] };
      } catch (error) {
        return failed('error', String(error));
      }
    };
    const opened = (): void => {
      if (isClosed) throw new EnvironmentError('EOTHER', 'the engine for scripts is closed');
    };
    return {
      async problem() {
        opened();
        return run === undefined ? outcomeOf([]).failure : undefined;
      },
      async call(calls) {
        opened();
        return calls.map(outcomeOf);
      },
    };
  };
  return {
    open,
    async close() {
      isClosed = true;
    },
  };
}

function valueOf(argument: ScriptArgument): Json {
  return typeof argument === 'string' ? (JSON.parse(argument) as Json) : [...argument];
}

function failed(kind: 'syntax' | 'error' | 'result', message: string): ScriptOutcome {
  return { failure: { kind, message }, printed: [] };
}
