import { EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import type { Files, OpenFile } from '../../ports/environment.ts';
import type { Agenda } from './agenda.ts';
import type { SeededRandom } from './chance.ts';
import type { Inode, SimulatedDisk } from './disk.ts';

/** The slowest file operation, in ms of virtual time. */
const OPERATION_MS_MAX = 2;

/** What file operations need of the machine they run on. */
export interface FileMachine {
  readonly agenda: Agenda;
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk;
  /** Called as a changing operation begins; may cut the power. */
  began(operation: string): void;
  /** False after the power was cut: nothing of the old machine ever completes. */
  alive(): boolean;
  /** A fault to raise instead of doing `operation`, if one is due. */
  fault(operation: 'write' | 'sync'): EnvironmentCode | undefined;
}

/** Files on a simulated disk: every operation takes a little virtual time. */
export function simulatedFiles(machine: FileMachine): Files {
  const later = async <T>(work: () => T): Promise<T> =>
    await new Promise<T>((resolve, reject) => {
      if (!machine.alive()) return;
      machine.agenda.add(machine.random.fraction() * OPERATION_MS_MAX, () => {
        if (!machine.alive()) return;
        try {
          resolve(work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  const changing = async <T>(operation: string, work: () => T): Promise<T> =>
    await later(() => {
      machine.began(operation);
      return machine.alive() ? work() : (undefined as T);
    }).then(async (value) => (machine.alive() ? value : await never<T>()));
  const { disk } = machine;
  return {
    open: async (path, mode) => {
      const inode = await (mode === 'create'
        ? changing('create', () => disk.create(path))
        : later(() => disk.file(path)));
      return openFile(machine, path, inode, mode !== 'read', later);
    },
    readFile: async (path) => await later(() => whole(disk.file(path))),
    list: async (directory) => await later(() => disk.list(directory)),
    size: async (path) => await later(() => sizeOf(disk, path)),
    isDirectory: async (path) => await later(() => disk.find(path) === 'directory'),
    makeDirectory: async (path) => await changing('makeDirectory', () => disk.makeDirectory(path)),
    remove: async (path) => await changing('remove', () => disk.remove(path)),
    removeTree: async (path) => await changing('removeTree', () => disk.removeTree(path)),
    rename: async (from, to) => await changing('rename', () => disk.rename(from, to)),
    syncDirectory: async (path) => await changing('syncDirectory', () => disk.syncDirectory(path)),
  };
}

async function never<T>(): Promise<T> {
  return await new Promise<T>(() => undefined);
}

function whole(inode: Inode): Uint8Array {
  const bytes = new Uint8Array(inode.size);
  inode.read(bytes, 0);
  return bytes;
}

function sizeOf(disk: SimulatedDisk, path: string): number | undefined {
  const place = disk.find(path);
  return place === undefined ? undefined : place === 'directory' ? 4096 : place.size;
}

function openFile(
  machine: FileMachine,
  path: string,
  inode: Inode,
  writable: boolean,
  later: <T>(work: () => T) => Promise<T>,
): OpenFile {
  let isOpen = true;
  const needOpen = (): void => {
    if (!isOpen) throw new EnvironmentError('EOTHER', `closed already: ${path}`);
  };
  const needWritable = (): void => {
    needOpen();
    if (!writable) throw new EnvironmentError('EOTHER', `opened for reading only: ${path}`);
  };
  return {
    path,
    read: async (into, position) =>
      await later(() => {
        needOpen();
        return inode.read(into, position);
      }),
    async write(pieces, position) {
      const bytes = pieces instanceof Uint8Array ? pieces : Buffer.concat(pieces);
      await later(() => {
        needWritable();
        const code = machine.fault('write');
        if (code !== undefined) {
          // A refused write may have left a part behind.
          inode.write(bytes.subarray(0, machine.random.below(bytes.length + 1)), position);
          throw new EnvironmentError(code, `write refused: ${path}`);
        }
        inode.write(bytes, position);
        machine.began('write');
      });
      if (!machine.alive()) await never<void>();
    },
    async sync() {
      const covered = inode.changes;
      await later(() => {
        needOpen();
        machine.began('sync');
        if (!machine.alive()) return;
        const code = machine.fault('sync');
        if (code !== undefined) throw new EnvironmentError(code, `sync failed: ${path}`);
        inode.sync(covered);
      });
      if (!machine.alive()) await never<void>();
    },
    async truncate(length) {
      await later(() => {
        needWritable();
        inode.truncate(length);
        machine.began('truncate');
      });
      if (!machine.alive()) await never<void>();
    },
    size: async () =>
      await later(() => {
        needOpen();
        return inode.size;
      }),
    close: async () =>
      await later(() => {
        isOpen = false;
      }),
  };
}
