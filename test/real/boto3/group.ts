import { join } from 'node:path';
import { verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../../support/node-process.ts';
import { clientEnvironment, runChecks } from '../checks.ts';
import type { Group } from '../run.ts';
import { pythonWith, runProgram } from '../tools.ts';

const BOTO3 = 'boto3==1.44.8';
/** As little as the log may be bound to: what fills it is throttled. */
const CONFIG = 'engine: { segmentLog: { diskBytesMax: 67108864 } }\n';

/** boto3, installed from PyPI: JSON over HTTP/1.1, event streams as well. */
export const boto3: Group = {
  name: 'boto3',
  async install() {
    const version = 'import boto3, botocore; print("boto3", boto3.__version__ + ", botocore", botocore.__version__)';
    return await runProgram(await pythonWith(BOTO3), ['-c', version]);
  },
  async run() {
    const data = temporaryDirectory('boto3');
    const config = verifyingConfig(data, CONFIG);
    const node = await startNodeProcess({ config, data: join(data, 'node') });
    try {
      const checks = join('test', 'real', 'boto3', 'checks.py');
      return await runChecks(await pythonWith(BOTO3), [checks], await clientEnvironment(node.api));
    } finally {
      await node.stop();
      removeDirectory(data);
    }
  },
};
