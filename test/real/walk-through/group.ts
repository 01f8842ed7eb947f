import { removeDirectory, temporaryDirectory } from '../../support/node-process.ts';
import { documentsMissing } from '../../support/published-code.ts';
import { installOpenSearch, startOpenSearch } from '../opensearch/server.ts';
import type { Group } from '../run.ts';
import { pythonWith } from '../tools.ts';
import { WalkThrough } from './steps.ts';

const BOTO3 = 'boto3==1.44.8';

/** AWS's walk-through of webhooks in its order, on one node: its own listings with boto3, a real OpenSearch. */
export const walkThrough: Group = {
  name: 'walk-through',
  async install() {
    if (documentsMissing !== false) throw new Error(documentsMissing);
    await pythonWith(BOTO3);
    return `${BOTO3}, ${await installOpenSearch()}`;
  },
  async run() {
    const folder = temporaryDirectory('walk-through');
    try {
      return await new WalkThrough({ folder, python: await pythonWith(BOTO3), openCluster: startOpenSearch }).all();
    } finally {
      removeDirectory(folder);
    }
  },
};
