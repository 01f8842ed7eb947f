import { MemoryStore } from './memory-store.ts';
import { quietEnvironment } from './quiet-environment.ts';
import { streamStoreContract } from './stream-store-contract.ts';

streamStoreContract('memory store', async () => {
  const environment = quietEnvironment();
  return {
    store: new MemoryStore(environment.clock),
    drive: async (work) => await work,
    now: () => environment.clock.now(),
    sleep: async (ms) => {
      environment.advance(ms);
      await environment.clock.sleep(ms);
    },
    close: async () => undefined,
  };
});
