/**
 * The last of `npm test`: says which tests it could not run, since a skipped test is green. With `ALLOW_SKIPS=0` that is
 * a failure: where the documents ought to be, their absence must not pass for a proof.
 */
import { documentsMissing } from '../support/published-code.ts';

if (documentsMissing !== false) {
  process.stdout.write(
    `published code: skipped, not proven: ${documentsMissing} (MILLRACE_SEEDS names their folder)\n`,
  );
  if (process.env['ALLOW_SKIPS'] === '0') process.exitCode = 1;
}
