#!/usr/bin/env node
/**
 * Runs the checks against an endpoint: USAGE below says how. Ends with 0 when all passed, 1 when some failed, 2 when it
 * was called wrongly.
 */
import { parseArgs } from 'node:util';
import { runConformance, type ConformanceOptions } from './index.ts';
import { reportText } from './report.ts';

const USAGE = `usage: millrace-conformance URL [options]

  --only TEXT        run only areas and checks whose name holds the text
  --sentences        AWS's sentences count, beside the types of errors
  --wait SECONDS     how long a stream or consumer may take to become ACTIVE (10; for AWS take 120)
  --within SECONDS   how long all of it may take (600)

Signs with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION where they are set.
Makes streams named conformance-..., and deletes them at the end.
`;

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`not a number of seconds: ${text}`);
  return value * 1000;
}

function readOptions(): ConformanceOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      sentences: { type: 'boolean' },
      wait: { type: 'string' },
      within: { type: 'string' },
    },
  });
  const [url = '', ...more] = positionals;
  if (more.length > 0 || !isWebUrl(url)) throw new Error('name one URL, http or https');
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = process.env;
  const isSigned = AWS_ACCESS_KEY_ID !== undefined && AWS_SECRET_ACCESS_KEY !== undefined;
  return {
    url,
    region: AWS_REGION,
    ...(isSigned && {
      credentials: {
        accessKeyId: AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        sessionToken: AWS_SESSION_TOKEN,
      },
    }),
    only: values.only,
    sentences: values.sentences,
    waitMs: seconds(values.wait),
    withinMs: seconds(values.within),
  };
}

function isWebUrl(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}

async function main(): Promise<number> {
  let options: ConformanceOptions;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const report = await runConformance(options);
  await new Promise<void>((resolve) => void process.stdout.write(reportText(report), () => resolve()));
  return report.results.every(({ failure }) => failure === undefined) ? 0 : 1;
}

// An endpoint that never ends an answer does not keep the program.
process.exit(await main());
