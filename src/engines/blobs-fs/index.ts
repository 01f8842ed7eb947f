import { DeliveryError, EnvironmentError } from '../../kernel/errors.ts';
import { parentOf, textOfFileName } from '../../kernel/paths.ts';
import type { BlobInfo, BlobStore } from '../../ports/blob-store.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { bucketFolder, keyPath } from './paths.ts';

const LIST_LIMIT = 1000;
/** Folders remembered as durable; forgetting one costs a sync. */
const DURABLE_FOLDERS_MAX = 10_000;
/** Objects grow here until they are whole; no bucket can have this name. */
const PARTS = '.incoming';

/**
 * Buckets as folders: `<directory>/<bucket>/<key>`. An object is written beside its bucket, made durable, and only then
 * renamed to its place.
 */
export function openFolderBlobs(environment: Environment, directory: string): BlobStore {
  return new FolderBlobs(environment, directory);
}

class FolderBlobs implements BlobStore {
  readonly #environment: Environment;
  readonly #directory: string;
  #cleaned: Promise<void> | undefined;
  /** Folders whose names were synced by this process. */
  readonly #durableFolders = new Set<string>();

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>): Promise<number> {
    const path = this.locate(bucket, key);
    return await this.#guarded(async () => {
      this.#cleaned ??= this.#clean();
      await this.#cleaned;
      const part = `${this.#directory}/${PARTS}/${this.#environment.random.uuid()}`;
      const { files } = this.#environment;
      try {
        const bytes = await this.#write(part, body);
        await this.#makeParents(path);
        await files.rename(part, path);
        await files.syncDirectory(parentOf(path));
        return bytes;
      } catch (error) {
        await files.remove(part).catch(() => undefined);
        if (error instanceof EnvironmentError && error.code === 'ENOENT') await this.#makeAnew();
        throw error;
      }
    });
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    const path = this.locate(bucket, key);
    return await this.#guarded(async () => {
      const { files } = this.#environment;
      if ((await files.size(path)) === undefined || (await files.isDirectory(path))) return undefined;
      return await files.readFile(path);
    });
  }

  async list(
    bucket: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly BlobInfo[]> {
    const root = `${this.#directory}/${bucketFolder(bucket)}`;
    const { prefix = '', after = '', limit = LIST_LIMIT } = options;
    const found: BlobInfo[] = [];
    await this.#guarded(async () => await this.#walk(root, '', { prefix, after, limit }, found));
    return found;
  }

  async remove(bucket: string, key: string): Promise<void> {
    const path = this.locate(bucket, key);
    await this.#guarded(async () => await this.#environment.files.remove(path));
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
      const bytes = await writeAll(file, body);
      await file.sync();
      return bytes;
    } finally {
      await file.close();
    }
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
    const children: { path: string; key: string; isFolder: boolean }[] = [];
    for (const name of await files.list(folder)) {
      const path = `${folder}/${name}`;
      const isFolder = await files.isDirectory(path);
      children.push({ path, key: base + textOfFileName(name) + (isFolder ? '/' : ''), isFolder });
    }
    for (const { path, key, isFolder } of children.sort((one, other) => (one.key < other.key ? -1 : 1))) {
      if (found.length >= wanted.limit) return;
      if (isFolder) {
        const mayHold = key.startsWith(wanted.prefix) || wanted.prefix.startsWith(key);
        const isBefore = key < wanted.after && !wanted.after.startsWith(key);
        if (mayHold && !isBefore) await this.#walk(path, key, wanted, found);
      } else if (key.startsWith(wanted.prefix) && key > wanted.after) {
        found.push({ key, sizeBytes: (await files.size(path)) ?? 0 });
      }
    }
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

async function writeAll(file: OpenFile, body: AsyncIterable<Uint8Array>): Promise<number> {
  let position = 0;
  for await (const chunk of body) {
    await file.write(chunk, position);
    position += chunk.length;
  }
  return position;
}
