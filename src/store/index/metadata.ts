/** Metadata (RFC 5464) in an owner's index, as the writer changes it. Rows name mailboxes by id: they stay through a RENAME. */
import { serverError } from '../../errors.ts';
import type { MetadataEvent } from '../log/events.ts';
import type { OwnerIndex } from './owner.ts';

/** Stands in for the mailbox where an entry is the server's. */
export const SERVER = 0;

/** Applies the event inside the open transaction. `blobs` are those of its record. */
export function applyMetadata(index: OwnerIndex, event: MetadataEvent, blobs: readonly Uint8Array[]): void {
  const { mb, q, userid } = event;
  for (const [entry, blob] of event.entries) {
    index.remove('annotation', 'mailbox = ? AND uid = 0 AND entry = ? AND userid = ?', mb, entry, userid);
    if (blob === null) continue;
    const value = blobs[blob];
    if (value === undefined) throw serverError(`${index.path}: a log record lacks its metadata`);
    index.insert('annotation', [mb, 0, entry, userid, value, q]);
  }
  index.raiseModseq(null, q);
}

/** The entries one user has set for a mailbox, or with '' the shared ones. */
export function entriesOf(index: OwnerIndex, mailbox: number, userid: string): string[] {
  return index.sql('SELECT entry FROM annotation WHERE mailbox = ? AND uid = 0 AND userid = ?')
    .values(mailbox, userid).map(([entry]) => entry as string);
}
