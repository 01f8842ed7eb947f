import { openQuickJs } from '../../src/drivers/quickjs/index.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { CONVERTER_PARAMETERS } from '../../src/kernel/converter-parameters.ts';
import type { ScriptRuntime } from '../../src/ports/script.ts';
import { documentsMissing, highlighted } from '../../test/support/published-code.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const PAYLOAD_BYTES = 200;
const METADATA = '{"integrationName":"kinesis_integration"}';
const CALLS = 1000;
const LOOP = 'for (;;);';
const ATTACKS = 5;

/** A published uplink converter, as it stands, on payloads of 200 bytes; and what a loop without end takes until it is stopped. */
export const scripts: Scenario = {
  name: 'scripts',
  title: 'uplink converter, payload of 200 bytes, one thread',
  onRequest: true,
  millraceOnly: true,
  secondsMax: ({ seconds }) => seconds + 30,
  async measure({ options }) {
    if (documentsMissing !== false) return { figures: {}, problems: [documentsMissing] };
    const runtime = openQuickJs(createNodeEnvironment({ log: 'silent' }), { workersMax: 1 });
    try {
      return await convertFor(runtime, options.seconds);
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
    stoppedMs: await stopped(runtime),
  };
  return { figures, problems: [...problems] };
}

const EXPECTED = '{"deviceName":"kitchen_thermostat","deviceType":"thermostat","telemetry":{"temperature":22}}';

function payload(): Uint8Array {
  const reading = { devName: 'kitchen_thermostat', devType: 'thermostat', temperature: 22, note: '' };
  reading.note = 'x'.repeat(PAYLOAD_BYTES - JSON.stringify(reading).length);
  return Buffer.from(JSON.stringify(reading));
}

/** From the call to its failure, in ms; the longest of several. */
async function stopped(runtime: ScriptRuntime): Promise<number> {
  const script = runtime.open({ name: 'loop.js', text: LOOP, parameters: ['payload'] });
  let longest = 0;
  for (let attack = 0; attack < ATTACKS; attack += 1) {
    const startedAt = performance.now();
    await script.call([['{}']]);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return longest;
}
