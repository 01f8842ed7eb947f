import * as sdk from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsKeyChain, AwsKeys } from '../../ports/search-clusters.ts';
import { endServer, onLoopback } from '../../testing/loopback.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { CredentialChain } from './credential-chain.ts';
import { recordingS3 } from './recording-s3.fixture.ts';
import { S3Store } from './s3-store.ts';

/** What the machine of the tests may have is not looked at. */
const BARE = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_ROLE_ARN: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
  AWS_CONFIG_FILE: '/nowhere/config',
  AWS_EC2_METADATA_DISABLED: 'true',
};
type Variables = Readonly<Partial<Record<keyof typeof BARE, string | undefined>>>;

async function withVariables(variables: Variables, run: () => Promise<void>): Promise<void> {
  const given = Object.entries({ ...BARE, ...variables });
  const before = given.map(([name]) => [name, process.env[name]] as const);
  const set = (values: readonly (readonly [string, string | undefined])[]): void => {
    for (const [name, value] of values) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  set(given);
  try {
    await run();
  } finally {
    set(before);
  }
}

/** Gives out credentials as the agent of a container does, another session each time, for `lifeMs`. */
async function containerAgent(lifeMs: number): Promise<{ readonly uri: string; close(): void }> {
  let sessions = 0;
  const server = createServer((_request, response) => {
    sessions += 1;
    const Expiration = new Date(Date.now() + lifeMs).toISOString();
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ AccessKeyId: `ROLE${sessions}`, SecretAccessKey: 's', Token: `t${sessions}`, Expiration }),
    );
  });
  return { uri: `${await onLoopback(server)}/role`, close: () => endServer(server) };
}

function chain(more: object = {}): AwsKeyChain & { readonly advance: (ms: number) => void } {
  const environment = quietEnvironment();
  const made = new CredentialChain({
    clock: environment.clock,
    region: 'us-east-1',
    environmentKeys: () => undefined,
    ...more,
  });
  return { keys: async () => await made.keys(), advance: (ms) => environment.advance(ms) };
}

/** Who a request to S3 was signed by, with the token of its session. */
async function signerOfS3(): Promise<unknown> {
  const server = await recordingS3();
  const store = new S3Store(sdk, { endpoint: server.endpoint, region: 'us-east-1' }, quietEnvironment());
  await store.put('bucket', 'k', { bytes: Buffer.from('x'), sha256: '0'.repeat(64), crc32: 'AAAAAA==' }, {});
  store.close();
  server.close();
  const { authorization = '', 'x-amz-security-token': token } = server.requests[0]?.headers ?? {};
  return [/Credential=(\w+)\//.exec(authorization)?.[1], token];
}

test('keys in the environment, of a profile, of a program and of a role are found, for S3 as for other signatures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chain-'));
  const agent = await containerAgent(3_600_000);
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') };
  writeFileSync(
    files.AWS_SHARED_CREDENTIALS_FILE,
    '[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = d\n' +
      '[work]\naws_access_key_id = WORK\naws_secret_access_key = w\naws_session_token = token of work\n',
  );
  const printed = JSON.stringify({ Version: 1, AccessKeyId: 'PRINTED', SecretAccessKey: 'p' });
  writeFileSync(files.AWS_CONFIG_FILE, `[profile helper]\ncredential_process = echo '${printed}'\n`);
  const session = { AWS_ACCESS_KEY_ID: 'OWN', AWS_SECRET_ACCESS_KEY: 'o', AWS_SESSION_TOKEN: 'token of own' };
  const table: readonly (readonly [variables: Variables, keys: AwsKeys])[] = [
    [session, { accessKeyId: 'OWN', secretAccessKey: 'o', sessionToken: 'token of own' }],
    [
      { ...files, ...session },
      { accessKeyId: 'OWN', secretAccessKey: 'o', sessionToken: 'token of own' },
    ],
    [files, { accessKeyId: 'DEFAULT', secretAccessKey: 'd' }],
    [
      { ...files, AWS_PROFILE: 'work' },
      { accessKeyId: 'WORK', secretAccessKey: 'w', sessionToken: 'token of work' },
    ],
    [
      { ...files, AWS_PROFILE: 'helper' },
      { accessKeyId: 'PRINTED', secretAccessKey: 'p' },
    ],
  ];
  try {
    for (const [variables, keys] of table) {
      await withVariables(variables, async () => {
        assert.deepEqual(await chain().keys(), keys);
        assert.deepEqual(await signerOfS3(), [keys.accessKeyId, keys.sessionToken]);
      });
    }
    await withVariables({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.uri }, async () => {
      const once = chain();
      const role = { accessKeyId: 'ROLE1', secretAccessKey: 's', sessionToken: 't1' };
      assert.deepEqual([await once.keys(), await once.keys()], [role, role], 'kept while they last');
      assert.deepEqual(await signerOfS3(), ['ROLE2', 't2']);
    });
  } finally {
    agent.close();
    rmSync(folder, { recursive: true });
  }
});

test('credentials of a role that are about to expire are replaced while they still hold', async () => {
  const agent = await containerAgent(60_000);
  try {
    await withVariables({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.uri }, async () => {
      const short = chain();
      const id = async (): Promise<unknown> => {
        const keys = await short.keys();
        return 'reason' in keys ? keys : keys.accessKeyId;
      };
      assert.equal(await id(), 'ROLE1');
      for (const end = Date.now() + 10_000; (await id()) === 'ROLE1'; await sleep(5)) assert.ok(Date.now() < end);
      assert.match(String(await id()), /^ROLE\d+$/);
    });
  } finally {
    agent.close();
  }
});

test('keys of a file that expired are refused until others stand there, for a minute at most', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chain-'));
  const credentials = join(folder, 'credentials');
  const write = (id: string): void =>
    writeFileSync(credentials, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`);
  const server = await recordingS3(({ headers: { authorization = '' } }) =>
    authorization.includes('OLD')
      ? { status: 400, body: '<Error><Code>ExpiredToken</Code><Message>it has expired</Message></Error>' }
      : undefined,
  );
  const environment = quietEnvironment();
  try {
    write('OLD');
    await withVariables({ AWS_SHARED_CREDENTIALS_FILE: credentials }, async () => {
      const store = new S3Store(sdk, { endpoint: server.endpoint, region: 'us-east-1' }, environment);
      const body = { bytes: Buffer.from('x'), sha256: '0'.repeat(64), crc32: 'AAAAAA==' };
      const put = async (): Promise<boolean> => await store.put('bucket', 'k', body, {});
      const expired = { code: 'S3.ExpiredToken', message: 'it has expired', retryable: true };
      await assert.rejects(put(), expired);
      write('NEW');
      environment.advance(59_999);
      await assert.rejects(put(), expired);
      environment.advance(1);
      assert.deepEqual([await put(), await put()], [true, true]);
      store.close();
    });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

test('where nothing is found the chain says so, and is asked again after a while', async () => {
  await withVariables({}, async () => {
    const found = chain();
    const first = await found.keys();
    assert.match('reason' in first ? first.reason : '', /Could not load credentials/);
    process.env['AWS_ACCESS_KEY_ID'] = 'LATE';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'l';
    assert.deepEqual(await found.keys(), first);
    found.advance(10_000);
    assert.deepEqual(await found.keys(), { accessKeyId: 'LATE', secretAccessKey: 'l' });
  });
});

test('without the SDK there are the keys of the environment, or the command that installs it', async () => {
  const load = async (): Promise<never> => await Promise.reject(new Error('ERR_MODULE_NOT_FOUND'));
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
  assert.deepEqual(await chain({ load, environmentKeys: () => keys }).keys(), keys);
  const none = await chain({ load }).keys();
  assert.match('reason' in none ? none.reason : '', /npm install @aws-sdk\/client-s3$/);
});
