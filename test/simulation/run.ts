/** `npm run simulate -- --seed N` runs one seed; `--from N --count M` runs many and stops at the first that fails. */
import { simulate } from '../../src/testing/simulate.ts';

function flag(name: string): number | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
}

const first = flag('seed') ?? flag('from') ?? 1;
const count = flag('seed') === undefined ? (flag('count') ?? 1000) : 1;
for (let seed = first; seed < first + count; seed += 1) {
  try {
    const result = await simulate(seed);
    process.stdout.write(`seed ${seed} ${JSON.stringify(result)}\n`);
  } catch (error) {
    process.stdout.write(`seed ${seed} failed; see it again with: npm run simulate -- --seed ${seed}\n`);
    throw error;
  }
}
