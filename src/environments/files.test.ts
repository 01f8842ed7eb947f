/** What the rooms above may rely on, on the machine's files and on the simulated disk alike. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EnvironmentCode } from '../kernel/errors.ts';
import type { Files, OpenMode } from '../ports/environment.ts';
import { nodeFiles } from './node/files.ts';
import { Simulation } from './simulated/index.ts';

interface Disk {
  readonly files: Files;
  /** An empty directory. */
  readonly root: string;
}

type Case = readonly [what: string, body: (disk: Disk) => Promise<void>];

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function make({ files }: Disk, path: string, text: string): Promise<void> {
  const file = await files.open(path, 'create');
  await file.write(bytes(text), 0);
  await file.close();
}

async function text({ files }: Disk, path: string): Promise<string> {
  return Buffer.from(await files.readFile(path)).toString();
}

async function fails(work: Promise<unknown>, code: EnvironmentCode): Promise<void> {
  await assert.rejects(work, { name: 'EnvironmentError', code });
}

const OPENING: readonly (readonly [what: string, mode: OpenMode, path: string, code: EnvironmentCode | undefined])[] = [
  ['reading a file', 'read', 'file', undefined],
  ['changing a file', 'write', 'file', undefined],
  ['making a file that exists', 'create', 'file', 'EEXIST'],
  ['reading what is not there', 'read', 'none', 'ENOENT'],
  ['changing what is not there', 'write', 'none', 'ENOENT'],
  ['making a file', 'create', 'new', undefined],
  ['making a file in no directory', 'create', 'none/new', 'ENOENT'],
  ['making a file below a file', 'create', 'file/new', 'ENOENT'],
  ['making a file where a directory is', 'create', 'folder', 'EEXIST'],
  ['changing a directory', 'write', 'folder', 'EOTHER'],
];

const CASES: readonly Case[] = [
  ...OPENING.map(([what, mode, name, code]): Case => [
    `opening: ${what} ${code === undefined ? 'works' : `is ${code}`}`,
    async (disk) => {
      const { files, root } = disk;
      await make(disk, `${root}/file`, 'kept');
      await files.makeDirectory(`${root}/folder`);
      const path = `${root}/${name}`;
      if (code !== undefined) return await fails(files.open(path, mode), code);
      const file = await files.open(path, mode);
      assert.equal(file.path, path);
      assert.equal(await file.size(), mode === 'create' ? 0 : 4);
      return await file.close();
    },
  ]),
  [
    'a file opened for reading cannot be changed, and stays as it is',
    async (disk) => {
      const path = `${disk.root}/a`;
      await make(disk, path, 'kept');
      const file = await disk.files.open(path, 'read');
      await fails(file.write(bytes('x'), 0), 'EOTHER');
      await fails(file.truncate(0), 'EOTHER');
      await file.close();
      assert.equal(await text(disk, path), 'kept');
    },
  ],
  [
    'a closed file can be used no more; closing it again is fine',
    async (disk) => {
      await make(disk, `${disk.root}/a`, 'kept');
      const file = await disk.files.open(`${disk.root}/a`, 'write');
      await file.close();
      await fails(file.read(new Uint8Array(1), 0), 'EOTHER');
      await fails(file.write(bytes('x'), 0), 'EOTHER');
      await fails(file.sync(), 'EOTHER');
      await fails(file.size(), 'EOTHER');
      await file.close();
      assert.equal(await text(disk, `${disk.root}/a`), 'kept');
    },
  ],
  [
    'reads end where the file ends',
    async (disk) => {
      await make(disk, `${disk.root}/a`, '0123456789');
      const file = await disk.files.open(`${disk.root}/a`, 'read');
      const read = async (length: number, position: number): Promise<string> => {
        const into = Buffer.alloc(length, '.');
        const count = await file.read(into, position);
        return `${count} ${into.toString()}`;
      };
      assert.equal(await read(4, 0), '4 0123');
      assert.equal(await read(4, 8), '2 89..');
      assert.equal(await read(4, 10), '0 ....');
      assert.equal(await read(4, 1000), '0 ....');
      assert.equal(await read(0, 3), '0 ');
      await file.close();
    },
  ],
  [
    'writes land where they are told: over, behind, and beyond the end with zeros between',
    async (disk) => {
      const file = await disk.files.open(`${disk.root}/a`, 'create');
      await file.write(bytes('aaaa'), 0);
      await file.write(bytes('bb'), 1);
      await file.write(bytes('cc'), 4);
      await file.write(bytes('d'), 8);
      await file.write(new Uint8Array(0), 100);
      assert.equal(await file.size(), 9);
      await file.sync();
      await file.close();
      assert.equal(await text(disk, `${disk.root}/a`), 'abbacc\0\0d');
    },
  ],
  [
    'the bytes of a write are the caller’s again once it resolved',
    async (disk) => {
      const file = await disk.files.open(`${disk.root}/a`, 'create');
      const mine = bytes('mine');
      await file.write(mine, 0);
      mine.fill(0);
      await file.close();
      assert.equal(await text(disk, `${disk.root}/a`), 'mine');
    },
  ],
  [
    'truncating cuts, and what is gained again is zeros',
    async (disk) => {
      await make(disk, `${disk.root}/a`, '0123456789');
      const file = await disk.files.open(`${disk.root}/a`, 'write');
      await file.truncate(4);
      assert.equal(await file.size(), 4);
      await file.truncate(6);
      await file.write(bytes('x'), 7);
      await file.close();
      assert.equal(await text(disk, `${disk.root}/a`), '0123\0\0\0x');
    },
  ],
  [
    'two who opened a file see each other’s writes',
    async (disk) => {
      const one = await disk.files.open(`${disk.root}/a`, 'create');
      const other = await disk.files.open(`${disk.root}/a`, 'read');
      await one.write(bytes('new'), 0);
      const into = Buffer.alloc(3);
      assert.equal(await other.read(into, 0), 3);
      assert.equal(into.toString(), 'new');
      await Promise.all([one.close(), other.close()]);
    },
  ],
  [
    'a file that was removed can be read by who has it open',
    async (disk) => {
      await make(disk, `${disk.root}/a`, 'kept');
      const file = await disk.files.open(`${disk.root}/a`, 'read');
      await disk.files.remove(`${disk.root}/a`);
      const into = Buffer.alloc(4);
      assert.equal(await file.read(into, 0), 4);
      assert.equal(into.toString(), 'kept');
      await file.close();
      await fails(disk.files.readFile(`${disk.root}/a`), 'ENOENT');
    },
  ],
  [
    'a rename replaces, and whoever has the file open keeps it',
    async (disk) => {
      const { files, root } = disk;
      await make(disk, `${root}/new`, 'new');
      await make(disk, `${root}/old`, 'old');
      const replaced = await files.open(`${root}/old`, 'read');
      await files.rename(`${root}/new`, `${root}/old`);
      assert.deepEqual(await files.list(root), ['old']);
      assert.equal(await text(disk, `${root}/old`), 'new');
      const into = Buffer.alloc(3);
      await replaced.read(into, 0);
      assert.equal(into.toString(), 'old');
      await replaced.close();
    },
  ],
  [
    'a rename needs something to move, and a place for it',
    async (disk) => {
      const { files, root } = disk;
      await make(disk, `${root}/a`, 'kept');
      await files.makeDirectory(`${root}/folder`);
      await fails(files.rename(`${root}/none`, `${root}/b`), 'ENOENT');
      await fails(files.rename(`${root}/a`, `${root}/none/b`), 'ENOENT');
      await fails(files.rename(`${root}/a`, `${root}/folder`), 'EOTHER');
      assert.equal(await text(disk, `${root}/a`), 'kept');
      await files.rename(`${root}/a`, `${root}/folder/b`);
      assert.equal(await text(disk, `${root}/folder/b`), 'kept');
    },
  ],
  [
    'a list holds the names inside, sorted by code unit',
    async (disk) => {
      const { files, root } = disk;
      const names = ['a', 'B', 'b10', 'b9', '_', 'é', '\u{1f600}', '\uff5e', '.x', 'a b'];
      for (const name of names) await make(disk, `${root}/${name}`, '');
      await files.makeDirectory(`${root}/folder/deep`);
      await make(disk, `${root}/folder/inner`, '');
      assert.deepEqual(await files.list(root), [...names, 'folder'].sort());
      assert.deepEqual(await files.list(`${root}/folder`), ['deep', 'inner']);
      assert.deepEqual(await files.list(`${root}/none`), []);
      assert.deepEqual(await files.list(`${root}/a`), []);
    },
  ],
  [
    'sizes and kinds of what is there, and of what is not',
    async ({ files, root, ...rest }) => {
      await make({ files, root, ...rest }, `${root}/a`, '12345');
      await files.makeDirectory(`${root}/folder`);
      assert.equal(await files.size(`${root}/a`), 5);
      assert.equal(await files.size(`${root}/none`), undefined);
      assert.equal(await files.size(`${root}/a/below`), undefined);
      assert.equal(await files.isDirectory(`${root}/folder`), true);
      for (const name of ['a', 'none', 'a/below']) assert.equal(await files.isDirectory(`${root}/${name}`), false);
      await fails(files.readFile(`${root}/none`), 'ENOENT');
      await fails(files.readFile(`${root}/folder`), 'EOTHER');
    },
  ],
  [
    'directories are made with their parents, and once is enough',
    async (disk) => {
      const { files, root } = disk;
      await files.makeDirectory(`${root}/x/y/z`);
      await files.makeDirectory(`${root}/x/y/z`);
      assert.deepEqual(await files.list(`${root}/x/y`), ['z']);
      await make(disk, `${root}/a`, '');
      await fails(files.makeDirectory(`${root}/a`), 'EEXIST');
      await fails(files.makeDirectory(`${root}/a/below`), 'ENOENT');
    },
  ],
  [
    'removing takes files, not directories; what is not there is fine',
    async (disk) => {
      const { files, root } = disk;
      await make(disk, `${root}/a`, '');
      await files.makeDirectory(`${root}/folder/deep`);
      await fails(files.remove(`${root}/folder`), 'EOTHER');
      await files.remove(`${root}/a`);
      await files.remove(`${root}/a`);
      assert.deepEqual(await files.list(root), ['folder']);
      assert.deepEqual(await files.list(`${root}/folder`), ['deep']);
    },
  ],
  [
    'removing a tree takes all of it and nothing beside it',
    async (disk) => {
      const { files, root } = disk;
      await files.makeDirectory(`${root}/tree/x/y`);
      await make(disk, `${root}/tree/x/y/leaf`, 'gone');
      await make(disk, `${root}/tree-2`, 'kept');
      await files.removeTree(`${root}/tree`);
      await files.removeTree(`${root}/tree`);
      assert.deepEqual(await files.list(root), ['tree-2']);
      await files.makeDirectory(`${root}/tree`);
      assert.deepEqual(await files.list(`${root}/tree`), []);
    },
  ],
  [
    'a directory that is not there cannot be synced',
    async ({ files, root }) => {
      await files.syncDirectory(root);
      await fails(files.syncDirectory(`${root}/none`), 'ENOENT');
    },
  ],
];

for (const [what, body] of CASES) {
  test(`real files: ${what}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'millrace-files-'));
    try {
      await body({ files: nodeFiles, root });
    } finally {
      await rm(root, { recursive: true });
    }
  });
  test(`simulated files: ${what}`, async () => {
    const simulation = new Simulation(1);
    const { files } = simulation.environment;
    await simulation.drive(files.makeDirectory('/root'));
    await simulation.drive(body({ files, root: '/root' }));
  });
}

test('real files and directories are their owner’s alone', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  try {
    await nodeFiles.makeDirectory(`${root}/x/y`);
    await (await nodeFiles.open(`${root}/x/y/a`, 'create')).close();
    const modes = ['x', 'x/y', 'x/y/a'].map(async (name) => ((await stat(join(root, name))).mode & 0o777).toString(8));
    assert.deepEqual(await Promise.all(modes), ['700', '700', '600']);
  } finally {
    await rm(root, { recursive: true });
  }
});
