import { DeliveryError, EnvironmentError } from '../../kernel/errors.ts';
import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import { parentOf, textOfFileName } from '../../kernel/paths.ts';
import type { BlobInfo, BlobOptions, BlobStore } from '../../ports/blob-store.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { keyOrder } from './key-order.ts';
import { besideFolder, bucketFolder, keyPath, nameWithoutFolder } from './paths.ts';

const LIST_LIMIT = 1000;
/** Of an object at once. */
const READ_BYTES = 64 * 1024;
/** Of an object that is being written, made durable at once: a second's work of a slow disk. */
const CONFIRMED_BYTES = 4 * 1024 * 1024;
/** Folders remembered as durable; forgetting one costs a sync. */
const DURABLE_FOLDERS_MAX = 10_000;
/** How often a place is looked for that others change meanwhile. */
const PLACINGS_MAX = 10;
/** Objects grow here until they are whole; no bucket can have this name. */
const PARTS = '.incoming';

/**
 * Buckets as folders: `<directory>/<bucket>/<key>`. An object is written beside its bucket, made durable, and only then
 * renamed to its place. Where an object's key is also the beginning of another's path (`a` and `a/b`), the folder has
 * the name, and the object stands beside it (`a%`).
 */
export function openFolderBlobs(environment: Environment, directory: string): BlobStore {
  return new FolderBlobs(environment, directory);
}

/** What stands in a folder of a bucket. */
interface Child {
  readonly path: string;
  readonly key: string;
  readonly isFolder: boolean;
}

class FolderBlobs implements BlobStore {
  readonly #environment: Environment;
  readonly #directory: string;
  #cleaned: Promise<void> | undefined;
  /** Folders whose names were synced by this process. */
  readonly #durableFolders = new Set<string>();
  /** Objects that were moved aside, or are being: one at a time. */
  #moves = 0;
  readonly #moving = new OneAtATime();

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: BlobOptions = {}): Promise<number> {
    const path = this.locate(bucket, key);
    return await this.#guarded(async () => {
      this.#cleaned ??= this.#clean();
      await this.#cleaned;
      const part = `${this.#directory}/${PARTS}/${this.#environment.random.uuid()}`;
      const { files } = this.#environment;
      try {
        const bytes = await this.#write(part, body);
        if (options.replaces !== true) await this.#keepEarlier(part, path);
        await this.#place(part, bucket, path);
        return bytes;
      } catch (error) {
        await files.remove(part).catch(() => undefined);
        if (error instanceof EnvironmentError && error.code === 'ENOENT') await this.#makeAnew();
        throw error;
      }
    });
  }

  /**
   * Where an earlier attempt's object has the name, its bytes become those of the part: it may hold more, as the time
   * of some records may be over meanwhile. It is placed anew, since the sync of its name may be what failed: one that
   * succeeds later proves nothing.
   */
  async #keepEarlier(part: string, path: string): Promise<void> {
    const earlier = (await this.#open(path)) ?? (await this.#open(besideFolder(path)));
    if (earlier === undefined) return;
    await this.#environment.files.remove(part);
    await this.#write(part, piecesOf(earlier));
  }

  async get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.locate(bucket, key);
    const file = await this.#guarded(async () => (await this.#open(path)) ?? (await this.#open(besideFolder(path))));
    return file === undefined ? undefined : piecesOf(file);
  }

  async #open(path: string): Promise<OpenFile | undefined> {
    try {
      return (await this.#isFile(path)) ? await this.#environment.files.open(path, 'read') : undefined;
    } catch (error) {
      if (error instanceof EnvironmentError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async list(
    bucket: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly BlobInfo[]> {
    const root = `${this.#directory}/${bucketFolder(bucket)}`;
    const { prefix = '', after = '', limit = LIST_LIMIT } = options;
    return await this.#guarded(async () => {
      for (let left = PLACINGS_MAX; ; left -= 1) {
        await this.#moving.settled();
        const moves = this.#moves;
        const found: BlobInfo[] = [];
        await this.#walk(root, '', { prefix, after, limit }, found);
        // An object that was moved aside meanwhile may have been missed.
        if (moves === this.#moves || left === 0) return found;
      }
    });
  }

  async remove(bucket: string, key: string): Promise<void> {
    const path = this.locate(bucket, key);
    await this.#guarded(async () => {
      const { files } = this.#environment;
      // What the one at the path replaced goes first: it must not be seen again.
      await files.remove(besideFolder(path));
      if (!(await files.isDirectory(path))) await files.remove(path);
    });
  }

  locate(bucket: string, key: string): string {
    return `${this.#directory}/${bucketFolder(bucket)}/${keyPath(key)}`;
  }

  /** What a process left half written is nobody's. */
  async #clean(): Promise<void> {
    const parts = `${this.#directory}/${PARTS}`;
    try {
      await this.#environment.files.removeTree(parts);
      await this.#environment.files.makeDirectory(parts);
    } catch (error) {
      this.#cleaned = undefined;
      throw error;
    }
  }

  /** Somebody removed folders under us: the next attempt must not take them for made. */
  async #makeAnew(): Promise<void> {
    this.#durableFolders.clear();
    await this.#environment.files.makeDirectory(`${this.#directory}/${PARTS}`).catch(() => undefined);
  }

  async #write(path: string, body: AsyncIterable<Uint8Array>): Promise<number> {
    const file = await this.#environment.files.open(path, 'create');
    try {
      return await writeAll(file, body);
    } finally {
      await file.close();
    }
  }

  /** Gives a whole object its name, durably. */
  async #place(part: string, bucket: string, path: string): Promise<void> {
    const { files } = this.#environment;
    for (let left = PLACINGS_MAX; ; left -= 1) {
      const isBeside = await files.isDirectory(path);
      try {
        await this.#makeParents(path);
        await files.rename(part, isBeside ? besideFolder(path) : path);
        await files.syncDirectory(parentOf(path));
        return;
      } catch (error) {
        if (!(error instanceof EnvironmentError) || left === 0) throw error;
        const isOther = (await files.isDirectory(path)) !== isBeside;
        const isMoved = isOther || (await this.#makeWay(bucket, path));
        const isRaced = ['ENOENT', 'EEXIST'].includes(error.code) && (await this.#isFile(part));
        if (!isMoved && !isRaced) throw error;
        // Folders may be gone, or were never made where an object was in their way.
        this.#durableFolders.clear();
      }
    }
  }

  /** Moves an object aside that stands where a path needs a folder. False when there is none. */
  async #makeWay(bucket: string, path: string): Promise<boolean> {
    const root = `${this.#directory}/${bucketFolder(bucket)}`;
    return await this.#moving.run(async () => await this.#moveAside(root, path));
  }

  async #moveAside(root: string, path: string): Promise<boolean> {
    const { files } = this.#environment;
    for (let folder = parentOf(path); folder !== root; folder = parentOf(folder)) {
      if (!(await this.#isFile(folder))) continue;
      this.#moves += 1;
      await files.rename(folder, besideFolder(folder));
      // Before a folder takes the name: a power cut must leave the object at one of its places.
      await files.syncDirectory(parentOf(folder));
      return true;
    }
    return false;
  }

  async #isFile(path: string): Promise<boolean> {
    const { files } = this.#environment;
    return (await files.size(path)) !== undefined && !(await files.isDirectory(path));
  }

  /**
   * Makes the folders of a path, durably: each is so once the one above it is synced. That one exists proves nothing,
   * as another object may be making it right now.
   */
  async #makeParents(path: string): Promise<void> {
    const { files } = this.#environment;
    const unsure: string[] = [];
    for (let folder = parentOf(path); !this.#durableFolders.has(folder); folder = parentOf(folder)) {
      unsure.push(folder);
      if (folder === this.#directory) break;
    }
    if (unsure.length === 0) return;
    await files.makeDirectory(parentOf(path));
    for (const folder of unsure.toReversed()) await files.syncDirectory(parentOf(folder));
    if (this.#durableFolders.size > DURABLE_FOLDERS_MAX) this.#durableFolders.clear();
    for (const folder of unsure) this.#durableFolders.add(folder);
  }

  /** Depth first in the order of keys, into `found`; parts of the tree that cannot hold a wanted key are left out. */
  async #walk(
    folder: string,
    base: string,
    wanted: { readonly prefix: string; readonly after: string; readonly limit: number },
    found: BlobInfo[],
  ): Promise<void> {
    const { files } = this.#environment;
    for (const { path, key, isFolder } of await this.#children(folder, base)) {
      if (found.length >= wanted.limit) return;
      if (isFolder) {
        const mayHold = key.startsWith(wanted.prefix) || wanted.prefix.startsWith(key);
        const isBefore = keyOrder(key, wanted.after) < 0 && !wanted.after.startsWith(key);
        if (mayHold && !isBefore) await this.#walk(path, key, wanted, found);
      } else if (key.startsWith(wanted.prefix) && keyOrder(key, wanted.after) > 0) {
        found.push({ key, sizeBytes: (await files.size(path)) ?? 0 });
      }
    }
  }

  /** What stands in a folder, in the order of keys; those of folders end with `/`. */
  async #children(folder: string, base: string): Promise<readonly Child[]> {
    const { files } = this.#environment;
    const folders = new Map<string, boolean>();
    for (const name of await files.list(folder)) folders.set(name, await files.isDirectory(`${folder}/${name}`));
    const children: Child[] = [];
    for (const [name, isFolder] of folders) {
      const own = isFolder ? name : nameWithoutFolder(name);
      const isReplaced = own !== name && folders.get(own) === false;
      const key = base + textOfFileName(own) + (isFolder ? '/' : '');
      if (!isReplaced) children.push({ path: `${folder}/${name}`, key, isFolder });
    }
    return children.sort((one, other) => keyOrder(one.key, other.key));
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      throw new DeliveryError(`S3.${error.code}`, `the bucket's folder: ${error.message}`, true, error);
    }
  }
}

/** The whole file, also when it is replaced meanwhile; who leaves before its end closes it. */
async function* piecesOf(file: OpenFile): AsyncGenerator<Uint8Array> {
  try {
    for (let position = 0; ;) {
      const piece = new Uint8Array(READ_BYTES);
      const bytes = await file.read(piece, position);
      if (bytes === 0) return;
      yield piece.subarray(0, bytes);
      position += bytes;
    }
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    throw new DeliveryError(`S3.${error.code}`, `the bucket's folder: ${error.message}`, true, error);
  } finally {
    await file.close();
  }
}

/** Writes a body durably, and returns its length. The disk begins with what is there while the rest is made. */
async function writeAll(file: OpenFile, body: AsyncIterable<Uint8Array>): Promise<number> {
  let position = 0;
  let confirmedFrom = 0;
  let confirming: Promise<unknown> | undefined;
  const failures: unknown[] = [];
  const confirm = async (): Promise<void> => {
    await file.sync().catch((error: unknown) => failures.push(error));
    confirming = undefined;
  };
  try {
    for await (const chunk of body) {
      await file.write(chunk, position);
      position += chunk.length;
      if (confirming !== undefined || position - confirmedFrom < CONFIRMED_BYTES) continue;
      confirmedFrom = position;
      confirming = confirm();
    }
  } finally {
    await confirming;
  }
  // What a sync lost, the next one may not miss.
  if (failures.length > 0) throw failures[0];
  await file.sync();
  return position;
}
