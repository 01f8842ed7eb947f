import { openQuickJs } from '../drivers/quickjs/index.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { CONTRACT_SCRIPTS, scriptContract } from './script-contract.ts';
import { tableScripts } from './table-scripts.ts';

scriptContract('scripts of a table', () => tableScripts(CONTRACT_SCRIPTS));
scriptContract('QuickJS', () => openQuickJs(createNodeEnvironment({ log: 'silent' })));
