import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoggedCommand } from '../../ports/command-log.ts';
import { A, B, flipped, type Image, LogUnderTest, replaced } from './log.fixture.ts';

const COMMANDS = ['make it', 'change it', 'drop it'];
const COPY_MARK = 'command ';

async function append(under: LogUnderTest, texts: readonly string[]): Promise<void> {
  for (const text of texts) await under.drive(under.log.commands.append([Buffer.from(COPY_MARK + text)]));
  // The copy is written behind them.
  await under.simulation.pass(100);
}

/** The commands up to the end, as a start folds them; rejects with what stops the reading. */
async function commands(under: LogUnderTest): Promise<readonly string[]> {
  return (await logged(under)).map(({ bytes }) => Buffer.from(bytes).toString().slice(COPY_MARK.length));
}

async function logged(under: LogUnderTest): Promise<readonly LoggedCommand[]> {
  const stop = new AbortController();
  const read = async (): Promise<readonly LoggedCommand[]> => {
    const end = await under.log.commands.end();
    const found: LoggedCommand[] = [];
    if (end === 0n) return found;
    for await (const batch of under.log.commands.tail(0n, stop.signal)) {
      found.push(...batch);
      if ((found.at(-1)?.offset ?? -1n) + 1n >= end) break;
    }
    return found;
  };
  try {
    return await under.drive(read());
  } finally {
    stop.abort();
  }
}

/** Where a command stands in the files: it, then its copy. */
function places(image: Image, text: string): readonly { readonly path: string; readonly at: number }[] {
  const found: { path: string; at: number }[] = [];
  for (const [path, bytes] of image) {
    if (!path.endsWith('.log')) continue;
    for (let at = bytes.indexOf(COPY_MARK + text); at >= 0; at = bytes.indexOf(COPY_MARK + text, at + 1)) {
      found.push({ path, at });
    }
  }
  return found;
}

function damaged(image: Image, { path, at }: { readonly path: string; readonly at: number }): Image {
  return replaced(image, path, flipped(image.get(path) ?? Buffer.alloc(0), at));
}

/** A log whose commands and their copies are durable, closed as it should be. */
async function sample(): Promise<Image> {
  const under = await LogUnderTest.open();
  await append(under, COMMANDS);
  await under.append(under.a, 'a record');
  await under.drive(under.log.close());
  return await under.image();
}

test('a damaged command is read from its copy, and a damaged copy is not missed', async () => {
  const image = await sample();
  for (const text of COMMANDS) {
    const found = places(image, text);
    assert.equal(found.length, 2, `${text} stands ${found.length} times`);
    for (const place of found) {
      const under = await LogUnderTest.openImage(damaged(image, place));
      assert.deepEqual(await commands(under), COMMANDS);
      await append(under, ['one more']);
      assert.deepEqual(await commands(under), [...COMMANDS, 'one more']);
    }
  }
});

test('the copy of a command has its number and its time', async () => {
  const image = await sample();
  const whole = await logged(await LogUnderTest.openImage(image));
  const [place] = places(image, 'change it');
  const copied = await logged(await LogUnderTest.openImage(damaged(image, place as never)));
  const told = (all: readonly LoggedCommand[]): unknown => all.map(({ offset, at }) => ({ offset, at }));
  assert.deepEqual(told(copied), told(whole));
});

test('a command that is damaged with its copy stops the reading: what follows would make another catalog', async () => {
  let image = await sample();
  for (const place of places(image, 'change it')) image = damaged(image, place);
  const under = await LogUnderTest.openImage(image);
  await assert.rejects(commands(under), { code: 'EIO' });
  // The streams' records are not concerned.
  assert.deepEqual(await under.texts(A), ['a record']);
});

test('a log without a copy gets one, and a copy that fell behind is completed', async () => {
  const first = await LogUnderTest.open();
  for (const text of COMMANDS) await first.drive(first.log.commands.append([Buffer.from(COPY_MARK + text)]));
  first.simulation.crash();
  first.simulation.restart();
  const second = await LogUnderTest.open(first.simulation, { epoch: 2 });
  await append(second, []);
  await second.drive(second.log.close());
  const image = await second.image();
  for (const text of COMMANDS) assert.equal(places(image, text).length, 2);
});

test('neither the commands nor their copies are shown as shards', async () => {
  const under = await LogUnderTest.open();
  await append(under, COMMANDS);
  await under.append(under.b, 'b');
  assert.deepEqual(under.log.store.shards(), [A, B]);
});
