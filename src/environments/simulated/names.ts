import { parentOf } from '../../kernel/paths.ts';
import type { Inode } from './inode.ts';

/** What a name leads to. */
export type Place = Inode | 'directory';

/** A change of names that happens whole or not at all: an entry is made, removed, or moved over another. */
export type NameChange =
  | { readonly kind: 'add'; readonly path: string; readonly place: Place }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly place: Place };

/** A tree of names. */
export class Names {
  private readonly places = new Map<string, Place>([['/', 'directory']]);
  private readonly inside = new Map<string, Set<string>>();

  get(path: string): Place | undefined {
    return this.places.get(path);
  }

  /** Every name and what it leads to, folders before what they hold. */
  entries(): readonly (readonly [path: string, place: Place])[] {
    return [...this.places].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** Paths inside a folder, sorted. */
  list(directory: string): readonly string[] {
    return [...(this.inside.get(directory) ?? [])].sort();
  }

  apply(change: NameChange): void {
    if (change.kind === 'add') this.set(change.path, change.place);
    else if (change.kind === 'remove') this.delete(change.path);
    else {
      this.delete(change.from);
      this.set(change.to, change.place);
    }
  }

  set(path: string, place: Place): void {
    this.places.set(path, place);
    const parent = parentOf(path);
    const siblings = this.inside.get(parent);
    if (path === '/') return;
    if (siblings === undefined) this.inside.set(parent, new Set([path]));
    else siblings.add(path);
  }

  private delete(path: string): void {
    this.places.delete(path);
    this.inside.get(parentOf(path))?.delete(path);
  }
}

/** The paths a change touches. */
export function pathsOf(change: NameChange): readonly string[] {
  return change.kind === 'rename' ? [change.from, change.to] : [change.path];
}
