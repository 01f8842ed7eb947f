/** The program that runs handlers written for Node. */
import { loadHandler } from './load-handler.ts';
import { serveHandler } from './serve-handler.ts';

await serveHandler(async () => await loadHandler(process.env['LAMBDA_TASK_ROOT'] ?? '', process.env['_HANDLER'] ?? ''));
