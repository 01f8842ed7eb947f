import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, CatalogEntry } from '../../../ports/catalog.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import { ProgressLedger } from './progress-ledger.ts';

/** A catalog that answers nothing while `isDown`. */
class FragileCatalog {
  isDown = false;
  #entry: CatalogEntry | undefined;

  get(): CatalogEntry | undefined {
    return this.#entry;
  }

  async sync(): Promise<void> {
    if (this.isDown) throw new Unavailable('the catalog does not answer');
  }

  async propose([op]: Parameters<Catalog['propose']>[0]): Promise<object> {
    await this.sync();
    assert.ok(op !== undefined && 'put' in op);
    if ((this.#entry?.revision ?? null) !== op.expect) return { accepted: false };
    const revision = (this.#entry?.revision ?? 0n) + 1n;
    this.#entry = { key: op.key, value: op.put, revision };
    return { accepted: true, revision };
  }
}

test('a catalog that fails twice in a row holds up no change that comes after it', async () => {
  const catalog = new FragileCatalog();
  const ledger = new ProgressLedger('d', catalog as unknown as Catalog);
  const add = async (): Promise<void> => await ledger.change((now) => ({ ...now, records: now.records + 1 }));
  await add();
  catalog.isDown = true;
  // The first cannot be written, and the second cannot even look whether it was.
  await assert.rejects(add(), Unavailable);
  await assert.rejects(add(), Unavailable);
  catalog.isDown = false;
  await Promise.all([add(), add()]);
  assert.equal(ledger.progress.records, 3);
});
