import { EnvironmentError } from '../../kernel/errors.ts';
import type { Files, OpenFile } from '../../ports/environment.ts';
import type { Agenda } from './agenda.ts';
import type { SeededRandom } from './chance.ts';
import { PAGE_BYTES } from './content.ts';
import type { SimulatedDisk } from './disk.ts';
import type { DiskFaults, FileOperation } from './faults.ts';
import type { Inode } from './inode.ts';
import type { Tally } from './tally.ts';

/** How often a disk without space has none for a new name either. */
const NAME_REFUSED = 0.25;

/** What file operations need of the machine they run on. */
export interface FileMachine {
  readonly agenda: Agenda;
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk;
  readonly faults: DiskFaults;
  readonly tally: Tally;
  /** Called in the middle of every changing operation; may cut the power. */
  began(): void;
  /** False after the power was cut or the process ended: nothing of the old life ever completes. */
  alive(): boolean;
}

/** Files on a simulated disk: every operation takes a little virtual time. */
export function simulatedFiles(machine: FileMachine): Files {
  const { disk } = machine;
  return {
    open: async (path, mode) =>
      await later(machine, mode === 'create' ? 'create' : 'open', path, () => {
        const inode = mode === 'create' ? create(machine, path) : disk.file(path);
        disk.open(inode);
        return new SimulatedFile(machine, path, inode, mode !== 'read');
      }),
    readFile: async (path) => await later(machine, 'read', path, () => disk.file(path).whole()),
    list: async (directory) => await later(machine, 'list', directory, () => disk.list(directory)),
    size: async (path) => await later(machine, 'size', path, () => sizeOf(disk, path)),
    isDirectory: async (path) => await later(machine, 'isDirectory', path, () => disk.find(path) === 'directory'),
    makeDirectory: async (path) =>
      await changeName(machine, 'makeDirectory', path, () => {
        if (disk.find(path) === undefined) needSpaceForName(machine, path);
        disk.makeDirectory(path);
      }),
    remove: async (path) => await changeName(machine, 'remove', path, () => disk.remove(path)),
    removeTree: async (path) => await changeName(machine, 'remove', path, () => disk.removeTree(path)),
    rename: async (from, to) => await changeName(machine, 'rename', from, () => disk.rename(from, to)),
    syncDirectory: async (path) =>
      await later(machine, 'syncDirectory', path, () => {
        machine.began();
        if (machine.alive()) disk.syncDirectory(path);
      }),
  };
}

/** The power may go once a name is changed: while nobody synced it, it is kept or lost then. */
async function changeName(
  machine: FileMachine,
  operation: FileOperation,
  path: string,
  change: () => void,
): Promise<void> {
  await later(machine, operation, path, () => {
    change();
    machine.began();
  });
}

function create(machine: FileMachine, path: string): Inode {
  if (machine.disk.find(path) === undefined) needSpaceForName(machine, path);
  const inode = machine.disk.create(path);
  machine.began();
  return inode;
}

function needSpaceForName({ disk, faults, random }: FileMachine, path: string): void {
  if (disk.free >= PAGE_BYTES || !random.chance(NAME_REFUSED)) return;
  faults.meets('a full disk refuses a name');
  throw new EnvironmentError('ENOSPC', `no space for a name: ${path}`);
}

function sizeOf(disk: SimulatedDisk, path: string): number | undefined {
  const place = disk.find(path);
  return place === undefined ? undefined : place === 'directory' ? 4096 : place.size;
}

class SimulatedFile implements OpenFile {
  readonly path: string;
  readonly #machine: FileMachine;
  readonly #inode: Inode;
  readonly #isWritable: boolean;
  #isOpen = true;

  constructor(machine: FileMachine, path: string, inode: Inode, isWritable: boolean) {
    this.path = path;
    this.#machine = machine;
    this.#inode = inode;
    this.#isWritable = isWritable;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return await this.#later('read', () => this.#inode.read(into, position));
  }

  async write(pieces: Uint8Array | readonly Uint8Array[], position: number): Promise<void> {
    const { disk, faults, random, tally } = this.#machine;
    const bytes = pieces instanceof Uint8Array ? pieces : Buffer.concat(pieces);
    await this.#later(undefined, () => {
      this.#needWritable();
      const code = faults.take('write');
      // A write stops in the middle: a part of it may be there.
      const wanted = code === undefined ? bytes : bytes.subarray(0, random.below(bytes.length + 1));
      const written = disk.write(this.#inode, wanted, position);
      if (code === undefined && written < bytes.length) faults.meets('a full disk refuses a write');
      if (written > 0 && written < bytes.length) tally.note('a refused write leaves its first bytes');
      if (code !== undefined) throw new EnvironmentError(code, `write refused: ${this.path}`);
      if (written < bytes.length) throw new EnvironmentError('ENOSPC', `no space is left: ${this.path}`);
      this.#machine.began();
    });
  }

  async sync(): Promise<void> {
    const { faults, random, tally } = this.#machine;
    const { mark } = this.#inode;
    await this.#later(undefined, () => {
      this.#machine.began();
      if (!this.#machine.alive()) return;
      const code = faults.take('sync');
      if (code === undefined) return this.#inode.sync(mark);
      this.#inode.failSync(mark, random, tally);
      throw new EnvironmentError(code, `sync failed: ${this.path}`);
    });
  }

  async truncate(length: number): Promise<void> {
    await this.#later('truncate', () => {
      this.#needWritable();
      this.#machine.disk.truncate(this.#inode, length);
      this.#machine.began();
    });
  }

  async size(): Promise<number> {
    return await this.#later('size', () => this.#inode.size);
  }

  async close(): Promise<void> {
    await later(this.#machine, undefined, this.path, () => {
      if (this.#isOpen) this.#machine.disk.close(this.#inode);
      this.#isOpen = false;
      // Whatever it answers, the system has let go of the file.
      const code = this.#machine.faults.take('close');
      if (code !== undefined) throw new EnvironmentError(code, `close failed: ${this.path}`);
    });
  }

  async #later<T>(operation: FileOperation | undefined, work: () => T): Promise<T> {
    return await later(this.#machine, operation, this.path, () => {
      if (!this.#isOpen) throw new EnvironmentError('EOTHER', `closed already: ${this.path}`);
      return work();
    });
  }

  #needWritable(): void {
    if (!this.#isWritable) throw new EnvironmentError('EOTHER', `opened for reading only: ${this.path}`);
  }
}

/** Does the work after a while, or fails as was asked for; in a machine that is no longer alive it never ends. */
async function later<T>(
  machine: FileMachine,
  operation: FileOperation | undefined,
  path: string,
  work: () => T,
): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    if (!machine.alive()) return;
    machine.agenda.add(machine.faults.delayMs(machine.random), () => {
      if (!machine.alive()) return;
      try {
        const code = operation === undefined ? undefined : machine.faults.take(operation);
        if (code !== undefined) throw new EnvironmentError(code, `${operation} failed: ${path}`);
        const result = work();
        if (machine.alive()) resolve(result);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
