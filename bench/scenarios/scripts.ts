import { openQuickJs } from '../../src/drivers/quickjs/index.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { CONVERTER_PARAMETERS } from '../../src/kernel/converter-parameters.ts';
import type { ScriptRuntime } from '../../src/ports/script.ts';
import { SCRIPT_ATTACKS } from '../../src/drivers/quickjs/attacks.fixture.ts';
import { documentsMissing, highlighted } from '../../test/support/published-code.ts';
import type { Figures } from '../figures.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const PAYLOAD_BYTES = 200;
const METADATA = '{"integrationName":"kinesis_integration"}';
const CALLS = 1000;
const ATTACK_ROUNDS = 3;
const RSS_LOOK_MS = 2;
const MIB = 1024 * 1024;

/** A published uplink converter, as it stands, on payloads of 200 bytes; then the attacks, each until it is stopped. */
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
    ...(await attacked(runtime, problems)),
  };
  return { figures, problems: [...problems] };
}

const EXPECTED = '{"deviceName":"kitchen_thermostat","deviceType":"thermostat","telemetry":{"temperature":22}}';

function payload(): Uint8Array {
  const reading = { devName: 'kitchen_thermostat', devType: 'thermostat', temperature: 22, note: '' };
  reading.note = 'x'.repeat(PAYLOAD_BYTES - JSON.stringify(reading).length);
  return Buffer.from(JSON.stringify(reading));
}

/** The longest that an attack took from its call to its failure, and the most memory that one had the process take. */
async function attacked(runtime: ScriptRuntime, problems: Set<string>): Promise<Figures> {
  const harmless = runtime.open({ name: 'harmless.js', text: 'return 1;', parameters: ['payload'] });
  const [stoppedMs, attackMiB]: [number[], number[]] = [[], []];
  for (const [what, text] of Array.from({ length: ATTACK_ROUNDS }, () => SCRIPT_ATTACKS).flat()) {
    // What an attack took a thread with it for is not its successor's time.
    await harmless.call([['{}']]);
    const script = runtime.open({ name: 'attack.js', text, parameters: ['payload'] });
    const idle = process.memoryUsage.rss();
    let peak = idle;
    const looking = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), RSS_LOOK_MS);
    const startedAt = performance.now();
    const [outcome] = await script.call([['{}']]);
    stoppedMs.push(performance.now() - startedAt);
    clearInterval(looking);
    attackMiB.push((Math.max(peak, process.memoryUsage.rss()) - idle) / MIB);
    if (outcome?.failure === undefined) problems.add(`${what} was not stopped`);
  }
  return { stoppedMs: Math.max(...stoppedMs), attackMiB: Math.max(...attackMiB) };
}
