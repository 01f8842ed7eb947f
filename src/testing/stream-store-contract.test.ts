import { Simulation } from '../environments/simulated/index.ts';
import { openSegmentLog } from '../engines/segment-log/index.ts';
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

streamStoreContract('segment log', async () => {
  const simulation = new Simulation(1);
  const { environment } = simulation;
  const options = { directory: '/data/log', epoch: 1, onFailure: fail };
  const log = await simulation.drive(openSegmentLog(environment, options));
  return {
    store: log.store,
    drive: async (work) => await simulation.drive(work),
    now: () => environment.clock.now(),
    sleep: async (ms) => await environment.clock.sleep(ms),
    close: async () => await simulation.drive(log.close()),
  };
});

function fail(error: Error): void {
  throw error;
}
