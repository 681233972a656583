/**
 * Following the log from the copies of a run to its cut: which messages came after a copy, which were purged since, and
 * whether each owner's chain of records continues from the copy (DESIGN rule 3).
 */
import type { PartData } from '../log/events.ts';
import { readPiece } from '../log/piece.ts';
import type { SavedOwner } from './manifest.ts';

/** A message that is only in the log so far. */
export interface TailMessage {
  readonly owner: { readonly id: number; readonly userid: string; readonly folder: string };
  readonly part: PartData;
  /** The bytes where they stand in the record. */
  readonly body: Uint8Array | null;
}

interface State {
  readonly id: number;
  readonly userid: string;
  readonly folder: string;
  lsn: number;
  broken: string | null;
}

export class Tail {
  /** Owners that were removed. */
  readonly gone = new Set<number>();
  private readonly owners = new Map<number, State>();
  /** `owner/part` of what was purged. */
  private readonly purged = new Set<string>();

  /** @param directoryLsn LSN of the copy of directory.db: earlier owners are among `rows` */
  constructor(
    rows: readonly { id: number; userid: string; folder: string }[],
    saved: readonly SavedOwner[],
    private readonly directoryLsn: number,
  ) {
    const copies = new Map(saved.map((owner) => [owner.id, owner.index.lsn]));
    for (const { id, userid, folder } of rows) {
      const lsn = copies.get(id);
      // One whose index could not be saved was reported already.
      if (lsn !== undefined) this.owners.set(id, { id, userid, folder, lsn, broken: null });
    }
  }

  /** Takes the records of the next piece; yields the messages that no copy has. */
  take(name: string, bytes: Buffer): TailMessage[] {
    const found: TailMessage[] = [];
    readPiece(name, bytes, 0, (record) => {
      for (const event of record.d?.e ?? []) {
        if (event.k === 'owner' && record.l > this.directoryLsn) {
          const { id, userid, folder } = event;
          this.owners.set(id, { id, userid, folder, lsn: 0, broken: null });
        }
        if (event.k === 'ownergone') this.gone.add(event.id);
      }
      for (const section of record.s) {
        const owner = this.owners.get(section.o);
        if (owner === undefined || owner.lsn >= record.l) continue;
        if (owner.lsn !== section.p) {
          owner.broken ??= `the copy is at ${owner.lsn} but the log continues at ${section.p}`;
        }
        owner.lsn = record.l;
        for (const event of section.e) {
          if (event.k === 'purge') { for (const part of event.parts) this.purged.add(`${owner.id}/${part}`); }
          if (event.k !== 'add') continue;
          for (const part of event.parts) {
            const body = 'blob' in part.source ? record.blobs[part.source.blob] ?? null : null;
            found.push({ owner, part, body });
          }
        }
      }
    });
    return found;
  }

  /** True for a part that the log takes away again. */
  isPurged(owner: number, part: number): boolean {
    return this.gone.has(owner) || this.purged.has(`${owner}/${part}`);
  }

  /** Owners whose copy and log do not fit together. */
  *broken(): IterableIterator<{ userid: string; text: string }> {
    for (const { id, userid, broken } of this.owners.values()) {
      if (broken !== null && !this.gone.has(id)) yield { userid, text: broken };
    }
  }
}
