import { dirname, join } from 'node:path';
import { pythonWith, runProgram } from './tools.ts';

const AWS_CLI = 'awscli==1.45.11';

/** AWS's command line from PyPI, with the Python that runs it; both stand in one folder. */
export async function awsProgram(): Promise<{ readonly python: string; readonly aws: string }> {
  const python = await pythonWith(AWS_CLI);
  return { python, aws: join(dirname(python), 'aws') };
}

/** Installs it; resolves with the line that says its version. */
export async function awsVersion(): Promise<string> {
  const { python, aws } = await awsProgram();
  return await runProgram(python, [aws, '--version']);
}

/** Runs `aws WORDS` against a node; resolves with the JSON that it prints, `{}` when that is nothing. */
export async function runAws(
  api: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<unknown> {
  const { python, aws } = await awsProgram();
  const variables = { ...environment, AWS_DEFAULT_OUTPUT: 'json' };
  const stdout = await runProgram(python, [aws, ...words, '--endpoint-url', api], { environment: variables });
  return stdout === '' ? {} : (JSON.parse(stdout) as unknown);
}
