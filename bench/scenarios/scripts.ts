import {
  attack,
  ATTACK_MIB_MAX,
  ATTACK_MS_MAX,
  ATTACKS,
  isContained,
  residentMib,
  type Attack,
  type AttackCost,
} from '../../src/drivers/quickjs/attacks.fixture.ts';
import { openQuickJs } from '../../src/drivers/quickjs/index.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { CONVERTER_PARAMETERS } from '../../src/kernel/converter-parameters.ts';
import type { ScriptRuntime } from '../../src/ports/script.ts';
import { documentsMissing, highlighted } from '../../test/support/published-code.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const PAYLOAD_BYTES = 200;
const METADATA = '{"integrationName":"kinesis_integration"}';
const CALLS = 1000;
/** Each attack so often: the worst counts. */
const TRIES = 5;

/** A published uplink converter, as it stands, on payloads of 200 bytes; and what scripts cost that want too much. */
export const scripts: Scenario = {
  name: 'scripts',
  title: 'uplink converter, payload of 200 bytes, one thread',
  onRequest: true,
  millraceOnly: true,
  secondsMax: ({ seconds }) => seconds + 150,
  async measure({ options }) {
    if (documentsMissing !== false) return { figures: {}, problems: [documentsMissing] };
    const runtime = openQuickJs(createNodeEnvironment({ log: 'silent' }), { workersMax: 1 });
    try {
      const attacked = await attackAll(runtime);
      const converted = await convertFor(runtime, options.seconds);
      return {
        figures: { ...converted.figures, ...attacked.figures },
        problems: [...converted.problems, ...attacked.problems],
      };
    } finally {
      await runtime.close();
    }
  },
};

async function convertFor(runtime: ScriptRuntime, seconds: number): Promise<Outcome> {
  const [text = ''] = highlighted('title: AWS Kinesis Integration', 'javascript');
  const parameters = CONVERTER_PARAMETERS.uplink;
  const script = runtime.open({ name: 'uplink.js', text, parameters });
  const calls = Array.from({ length: CALLS }, () => [payload(), METADATA]);
  await script.call(calls);
  const problems = new Set<string>();
  let done = 0;
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  while (performance.now() - startedAt < seconds * 1000) {
    for (const { json, failure } of await script.call(calls)) {
      if (json !== EXPECTED) problems.add(failure?.message ?? `gave ${json}`);
      done += 1;
    }
  }
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const figures = {
    conversionsPerSecond: (done / elapsedMs) * 1000,
    conversionCpuUs: (user + system) / done,
  };
  return { figures, problems: [...problems] };
}

const EXPECTED = '{"deviceName":"kitchen_thermostat","deviceType":"thermostat","telemetry":{"temperature":22}}';

function payload(): Uint8Array {
  const reading = { devName: 'kitchen_thermostat', devType: 'thermostat', temperature: 22, note: '' };
  reading.note = 'x'.repeat(PAYLOAD_BYTES - JSON.stringify(reading).length);
  return Buffer.from(JSON.stringify(reading));
}

/** The first call of all: its thread is only starting. */
async function attackCold([, text]: Attack): Promise<AttackCost> {
  const runtime = openQuickJs(createNodeEnvironment({ log: 'silent' }), { workersMax: 1 });
  try {
    return await attack(runtime, text, residentMib());
  } finally {
    await runtime.close();
  }
}

/**
 * The worst time and memory of all attacks, beside the lines of each; memory above what the process had before the first.
 * An attack that is not contained is a problem, one beyond its bounds is said in its line and seen in the figures.
 */
async function attackAll(runtime: ScriptRuntime): Promise<Outcome> {
  const well = runtime.open({ name: 'well.js', text: 'return 1;', parameters: ['payload'] });
  await well.call([['{}']]);
  const idleMib = residentMib();
  const problems: string[] = [];
  let [worstMs, worstMib] = [0, 0];
  for (const one of ATTACKS) {
    let [ms, mib] = [0, 0];
    for (let left = TRIES; left > 0; left -= 1) {
      const cost = await attack(runtime, one[1], idleMib);
      [ms, mib] = [Math.max(ms, cost.ms), Math.max(mib, cost.mibAboveIdle)];
      // The next one finds a thread that has started, and this one has left the engine usable.
      const [after] = await well.call([['{}']]);
      if (after?.json !== '1') problems.push(`after ${one[0]}: ${after?.failure?.message}`);
      if (!isContained(one, cost)) problems.push(`${one[0]}: ${cost.kind ?? 'gave a result'}`);
    }
    const cold = await attackCold(one);
    if (!isContained(one, cold)) problems.push(`${one[0]}, at once: ${cold.kind ?? 'gave a result'}`);
    [ms, mib] = [Math.max(ms, cold.ms), Math.max(mib, cold.mibAboveIdle)];
    const isWithin = ms <= ATTACK_MS_MAX && mib <= ATTACK_MIB_MAX;
    const verdict = `${isWithin ? 'within' : 'beyond'} ${ATTACK_MS_MAX} ms and ${ATTACK_MIB_MAX} MiB`;
    process.stderr.write(`  ${one[0]}: ${ms.toFixed(0)} ms, ${mib.toFixed(0)} MiB above idle: ${verdict}\n`);
    [worstMs, worstMib] = [Math.max(worstMs, ms), Math.max(worstMib, mib)];
  }
  return { figures: { attackMs: worstMs, attackMiB: worstMib }, problems };
}
