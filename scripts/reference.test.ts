import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configSchema } from '../src/config/schema.ts';
import { firehoseErrors } from '../src/capabilities/firehose/errors.ts';
import { gatewayErrors } from '../src/capabilities/gateway/errors.ts';
import { kinesisErrors } from '../src/capabilities/kinesis/errors.ts';
import { capabilities } from '../src/registry.ts';
import { help } from './reference/cli.ts';
import { adminCodes, httpCodes, namesOf, stsCodes, wireCodes } from './reference/errors.ts';
import { eventSentences, metricSentences } from './reference/event-sentences.ts';
import { knownServices } from './reference/known-actions.ts';
import { usedNames } from './reference/used-names.ts';
import { pages, stalePages, writePages } from './reference.ts';

const operations = capabilities.flatMap((capability) => capability.operations);

function sourcesUnder(...folders: readonly string[]): string {
  return folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /^(?!.*\.(test|fixture)\.ts$).*\.ts$/.test(name))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    )
    .join('\n');
}

function raised(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

test('docs/reference is what the sources say', async () => {
  assert.deepEqual(await stalePages(process.cwd()), []);
});

test('--check names the stale page and ends with exit code 1', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-reference-'));
  try {
    cpSync('docs', join(root, 'docs'), { recursive: true });
    symlinkSync(join(process.cwd(), 'src'), join(root, 'src'));
    const check = (): { status: number | null; stdout: string } =>
      spawnSync(process.execPath, [join(import.meta.dirname, 'reference.js'), '--check'], {
        cwd: root,
        encoding: 'utf8',
      });
    assert.deepEqual([check().status, check().stdout], [0, '']);
    appendFileSync(join(root, 'docs/reference/errors.md'), 'by hand\n');
    const { status, stdout } = check();
    assert.deepEqual([status, stdout.split(' ')[0]], [1, 'docs/reference/errors.md']);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('what is missing is written', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-reference-'));
  try {
    assert.deepEqual(
      await stalePages(root),
      [...(await pages()).keys()].map((name) => `docs/reference/${name}`),
    );
    await writePages(root);
    assert.deepEqual(await stalePages(root), []);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the config page has every section, and says what is not built', async () => {
  const page = (await pages()).get('config.md') ?? '';
  for (const section of Object.keys(configSchema(capabilities).members))
    assert.match(page, mentionOf(section), section);
  assert.match(page, /\| `server\.console` \|.*Not built yet\./);
  assert.match(page, /\| `streams\.NAME\.ShardCount` \| a whole number from 1 to /);
  assert.match(page, /\| `deliveries\.NAME\.ExtendedS3DestinationConfiguration\.BucketARN` \|.*\| yes \|/);
  assert.match(page, /\| `streams` \| a mapping \| no \|/);
  assert.match(page, /\| `limits` \|.*off: .*not built yet\./);
});

function mentionOf(section: string): RegExp {
  return new RegExp(`^(## |- )\`${section}\`$`, 'm');
}

test('every served action is a known one, and every known one stands on the page', async () => {
  const page = (await pages()).get('actions.md') ?? '';
  const known = new Map(knownServices.map(({ target, groups }) => [target, groups.flatMap(({ actions }) => actions)]));
  for (const { name, target } of operations) assert.ok(known.get(target)?.includes(name), `${target}.${name}`);
  assert.deepEqual(
    [...known.values()].map((actions) => [actions.length, new Set(actions).size]),
    [
      [57, 57],
      [12, 12],
    ],
  );
  for (const name of [...known.values()].flat()) assert.ok(page.includes(`\`${name}\``), name);
});

test('every error an action declares is in the closed list of its service', () => {
  const lists: Readonly<Record<string, readonly string[]>> = {
    Kinesis_20131202: kinesisErrors,
    Firehose_20150804: firehoseErrors,
  };
  for (const { name, target, errors } of operations) {
    for (const error of errors) assert.ok(lists[target]?.includes(error), `${name}: ${error}`);
  }
});

const LISTS: readonly (readonly [string, readonly string[], RegExp, readonly string[]])[] = [
  [
    'codes of the wire',
    ['src/wire/aws-json', 'src/wire/sigv4', 'src/kernel/schema'],
    /(?:RequestError\(\s*|#error\(\d+, contentType, )'(\w+)'/g,
    namesOf(wireCodes).filter((name) => name !== 'RequestEntityTooLarge'),
  ],
  [
    'codes of the listeners',
    ['src/wire/http'],
    /(?:RequestError\(|ThrottleError\(|plainAnswer\(\d+, |refuseRaw\(socket, \d+, )'(\w+)'/g,
    namesOf(httpCodes),
  ],
];

for (const [what, folders, pattern, listed] of LISTS) {
  test(`${what} are all listed, and all listed ones are raised`, () => {
    const text = sourcesUnder(...folders);
    // 500s are answered by the error's kind, not by a code somebody raised.
    assert.deepEqual(raised(text, pattern), [...listed].sort());
  });
}

test('codes of the admin paths and of other services are all listed', () => {
  const text = sourcesUnder('src/compose', 'src/capabilities');
  for (const name of raised(text, /(?:error: '|RequestError\(\s*')([A-Z]\w+)'/g)) {
    // Those of config checks, of exceptions in mid-stream, and of actions that are not built.
    const named = ['RetentionExceeded', 'InvalidConfig', 'InvalidSchema', 'InvalidArgumentException'];
    const own = [...named, 'InternalFailure', 'UnknownOperationException'];
    const others = [...namesOf(stsCodes), ...Object.keys(gatewayErrors), ...own];
    assert.ok([...namesOf(adminCodes), ...others].includes(name), name);
  }
});

test('no sentence is kept for a metric or log line that is gone', () => {
  const { metrics, events } = usedNames(process.cwd());
  assert.deepEqual(Object.keys(metricSentences).sort(), metrics.map(({ name }) => name).sort());
  assert.deepEqual(Object.keys(eventSentences).sort(), events.map(({ name }) => name).sort());
});

test('every command stands on the page of the command line', async () => {
  const page = (await pages()).get('cli.md') ?? '';
  const listed = (await help([])).split('Commands:')[1] ?? '';
  const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  assert.ok(commands.length >= 8);
  for (const name of commands) assert.ok(page.includes(`## \`millrace ${name}\``), name);
});
