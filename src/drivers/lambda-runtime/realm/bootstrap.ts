/** The program that runs functions of `runtime: realm`. */
import { serveHandler } from '../bootstraps/serve-handler.ts';
import { loadRealmFunction } from './load-realm-function.ts';

let isLost = false;
// Ahead of the one that tells it and ends the process: what a function's call came to must not be told beside it.
process.on('unhandledRejection', () => {
  isLost = true;
});

await serveHandler(async () => {
  const variables = { ...process.env };
  // What the function starts need not know them.
  delete process.env['MILLRACE_VALUES'];
  delete process.env['MILLRACE_SERVICES'];
  const [codeDirectory, handler] = [variables['LAMBDA_TASK_ROOT'] ?? '', variables['_HANDLER'] ?? ''];
  const loaded = loadRealmFunction({ codeDirectory, handler, variables });
  return async (event) => {
    try {
      return await loaded.run(event);
    } finally {
      if (isLost) await new Promise(() => undefined);
    }
  };
});
