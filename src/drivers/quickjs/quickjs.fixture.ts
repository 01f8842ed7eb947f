import { CONVERTER_PARAMETERS } from '../../kernel/converter-parameters.ts';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import type { ScriptArgument, ScriptLimits, ScriptOutcome, ScriptRuntime } from '../../ports/script.ts';
import { openQuickJs } from './index.ts';
import type { PoolLimits } from './limits.ts';

/** For scripts that end: a machine that does much else may take long. */
export const PATIENT: Partial<ScriptLimits> = { timeMs: 10_000 };

/** A runtime with the machine's own time. */
export function openRuntime(limits: Partial<PoolLimits> = {}): ScriptRuntime {
  return openQuickJs(createNodeEnvironment({ log: 'silent' }), limits);
}

/** One call of a text as an uplink converter. */
export async function convert(
  runtime: ScriptRuntime,
  text: string,
  payload: ScriptArgument = Buffer.from('{}'),
  limits: Partial<ScriptLimits> = PATIENT,
): Promise<ScriptOutcome> {
  const parameters = CONVERTER_PARAMETERS.uplink;
  const [outcome] = await runtime.open({ name: 'uplink.js', text, parameters, limits }).call([[payload, '{"a":"b"}']]);
  return outcome as ScriptOutcome;
}
