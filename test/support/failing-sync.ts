/** Loaded into a node before its program (`node --import`): from a SIGUSR2 on no file's bytes can be synced. */
import { open, type FileHandle } from 'node:fs/promises';

const handle = await open(process.execPath);
// The class of all handles has no name of its own.
const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, 'datasync'>;
await handle.close();

process.on('SIGUSR2', () => {
  prototype.datasync = async () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  };
});
