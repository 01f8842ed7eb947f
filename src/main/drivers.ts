import type { Drivers } from '../compose/index.ts';
import type { Config } from '../config/index.ts';
import { openS3Store } from '../drivers/aws/index.ts';
import { createJsonSchemas } from '../drivers/json-schema/index.ts';
import { createLambdaRuntime } from '../drivers/lambda-runtime/index.ts';
import { createMongodbStore } from '../drivers/mongodb/index.ts';
import { NodeHttpClient } from '../environments/node/http-client.ts';
import type { Environment } from '../ports/environment.ts';
import type { FunctionRuntime } from '../ports/function-runtime.ts';
import type { SearchClusters } from '../ports/search-clusters.ts';
import { identityOf } from './config-facts.ts';

/** What users' handlers see of the node's own environment. */
const SHOWN_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** What runs users' handlers on this platform. */
export function createFunctionRuntime(environment: Environment): FunctionRuntime {
  const shown = SHOWN_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const machine = { nodePath: process.execPath, variables: Object.fromEntries(shown) };
  return createLambdaRuntime(machine, environment);
}

/** The drivers of this platform. EnvironmentError where the config needs a package that is not installed. */
export async function openDrivers(
  environment: Environment,
  { s3, server }: Config,
  clusters: SearchClusters,
): Promise<Drivers> {
  const { region } = identityOf(server);
  return {
    functionRuntime: createFunctionRuntime(environment),
    http: new NodeHttpClient(environment.meter),
    documents: createMongodbStore(),
    jsonSchemas: createJsonSchemas(),
    clusters,
    objectStore: s3 === undefined ? undefined : await openS3Store({ ...s3, region: s3.region ?? region }, environment),
  };
}
