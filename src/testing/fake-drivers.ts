import type { Drivers } from '../compose/index.ts';
import { createJsonSchemas } from '../drivers/json-schema/index.ts';
import type { Clock } from '../ports/environment.ts';
import { FakeDocuments } from './fake-documents.ts';
import { fakeFunctionRuntime } from './fake-function-runtime.ts';
import { openClusters } from './open-clusters.ts';
import { ScriptedHttp } from './scripted-http.ts';

/** What a node has of the outside world in tests: these, and of the others what knows nobody. */
export function fakeDrivers(clock: Clock, given: Partial<Drivers> = {}): Drivers {
  return {
    functionRuntime: fakeFunctionRuntime(clock),
    http: new ScriptedHttp(clock),
    documents: new FakeDocuments(),
    jsonSchemas: createJsonSchemas(),
    clusters: openClusters(),
    ...given,
  };
}
