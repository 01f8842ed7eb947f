import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { startProgram, until } from '../program.ts';
import { mavenJars } from '../tools.ts';

const ARTIFACT = 'com.amazonaws:DynamoDBLocal:2.6.1';
const START_MS_MAX = 60_000;

/** Where KCL keeps its leases; all in memory. */
export interface DynamoDbLocal {
  readonly url: string;
  stop(): Promise<void>;
}

/** Installs DynamoDB Local from Maven Central; resolves with its version. */
export async function installDynamoDbLocal(): Promise<string> {
  const native = await nativeFolder();
  mkdirSync(native, { recursive: true });
  const jars = await mavenJars(ARTIFACT);
  for (const name of readdirSync(jars).filter((file) => file.endsWith('.so'))) {
    copyFileSync(join(jars, name), join(native, name));
  }
  return 'DynamoDB Local 2.6.1';
}

/** Starts it on a free port and waits until it takes connections. */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const [jars, port] = [await mavenJars(ARTIFACT), await freePort()];
  const program = startProgram('java', [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dsqlite4java.library.path=${await nativeFolder()}`,
    '-cp',
    join(jars, '*'),
    'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
    '-inMemory',
    '-disableTelemetry',
    '-port',
    String(port),
  ]);
  await until('DynamoDB Local takes connections', START_MS_MAX, () => reached(port), [program]);
  return { url: `http://127.0.0.1:${port}`, stop: () => program.kill() };
}

/** The native library must stand in a folder that holds no other's. */
async function nativeFolder(): Promise<string> {
  return join(await mavenJars(ARTIFACT), '..', 'native');
}

async function reached(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
