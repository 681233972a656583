/** The read-only databases of a worker: directory.db and a least-recently-used pool of owners' indexes. */
import { limits } from '../../limits.ts';
import type { OwnerRow } from '../index/directory.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import type { Layout } from '../layout.ts';

export class Readers {
  readonly directory: DirectoryReader;
  /** In order of use: the first is the longest unused. */
  private readonly pool = new Map<number, OwnerReader>();

  constructor(private readonly layout: Layout) {
    this.directory = new DirectoryReader(layout.directory);
  }

  /** The index of an owner. Do not keep it over an await: it may be closed when others are opened. */
  of(owner: Pick<OwnerRow, 'id' | 'folder'>): OwnerReader {
    const found = this.pool.get(owner.id);
    if (found !== undefined) {
      this.pool.delete(owner.id);
      this.pool.set(owner.id, found);
      return found;
    }
    if (this.pool.size >= limits.store_open_indexes.value) {
      for (const [id, reader] of this.pool) {
        this.pool.delete(id);
        reader.close();
        break;
      }
    }
    const reader = new OwnerReader(this.layout.index(owner.folder));
    this.pool.set(owner.id, reader);
    return reader;
  }

  /** Forgets an owner's index, for instance because the user was removed. */
  drop(owner: number): void {
    this.pool.get(owner)?.close();
    this.pool.delete(owner);
  }

  close(): void {
    for (const reader of this.pool.values()) reader.close();
    this.pool.clear();
    this.directory.close();
  }
}
