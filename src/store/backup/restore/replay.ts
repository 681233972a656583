/**
 * Bringing copies of databases to one moment: the records of the log are applied to each from its own LSN on. Only databases;
 * the message files are made when it is known which ones are wanted.
 */
import { rmSync } from 'node:fs';
import { applyOwnerEvent } from '../../index/apply.ts';
import type { Directory } from '../../index/directory.ts';
import type { Layout } from '../../layout.ts';
import { readPiece } from '../../log/piece.ts';
import type { LogRecord } from '../../log/record.ts';
import { errorText } from '../../writer/errortext.ts';
import type { OwnerPool } from '../../writer/owners.ts';
import type { Target } from '../target.ts';
import { fetchBytes } from './fetch.ts';
import type { RestorePoint } from './point.ts';

/** Records between two commits. */
const COMMIT_EVERY = 500;

export class Replay {
  records = 0;
  /** LSN of the last record of the point, of whatever owner. */
  lsn = 0;
  /** Owners whose copy and log do not fit together; they stay as far as they got. */
  readonly broken = new Map<string, string>();

  /** @param only the userid of the one owner that is wanted, or null */
  constructor(
    private readonly directory: Directory,
    private readonly owners: OwnerPool,
    private readonly layout: Layout,
    private readonly only: string | null,
  ) {}

  /** Applies all pieces up to the point. */
  async run(target: Target, point: RestorePoint): Promise<void> {
    this.lsn = point.base.head.base;
    for (let at = 0, over = false; at < point.pieces.length && !over; at++) {
      const { name, sha256 } = point.pieces[at] as RestorePoint['pieces'][number];
      const bytes = await fetchBytes(target, name, sha256);
      readPiece(name, bytes, 0, (record) => {
        over ||= record.l > point.lsn || record.t > point.through;
        if (!over) this.apply(record);
      });
    }
    this.commit();
  }

  private apply(record: LogRecord): void {
    if (record.l > this.lsn) this.lsn = record.l;
    const { d } = record;
    if (d !== undefined && this.directory.lsn < record.l) {
      this.directory.begin();
      for (const event of d.e) {
        if (event.k === 'ownergone') this.forget(event.id);
        this.directory.apply(event);
      }
      this.directory.applied(record.l);
    }
    for (const section of record.s) {
      const owner = this.directory.ownerById(section.o);
      if (owner === null || this.broken.has(owner.userid)) continue;
      if (this.only !== null && owner.userid !== this.only) continue;
      try {
        if (section.p === 0) this.owners.allowNew(owner);
        const index = this.owners.open(owner);
        if (index.lsn >= record.l) continue;
        if (index.lsn !== section.p) {
          throw new Error(`its copy is at ${index.lsn} but the log continues at ${section.p}`);
        }
        index.begin();
        for (const event of section.e) applyOwnerEvent(index, event, record.blobs);
        index.applied(record.l);
      } catch (error) {
        this.owners.peek(owner.id)?.rollback();
        this.broken.set(owner.userid, errorText(error));
      }
    }
    if (++this.records % COMMIT_EVERY === 0) this.commit();
  }

  private forget(id: number): void {
    const owner = this.directory.anyOwner(id);
    if (owner === null) return;
    this.owners.drop(id);
    this.broken.delete(owner.userid);
    if (this.only === null || this.only === owner.userid) {
      rmSync(this.layout.userFolder(owner.folder), { recursive: true, force: true });
    }
  }

  private commit(): void {
    for (const index of this.owners.opened()) index.commit();
    this.directory.commit();
  }
}
