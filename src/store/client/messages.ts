/** What a selected mailbox asks the writer to do with messages, and its answers. */
import type { CopyResult, MailboxName, StoreOperation, StoreResult } from '../border.ts';
import { UidSet } from '../uidset.ts';
import type { Change } from '../writer/requests.ts';
import type { RecentPlace } from './recent.ts';

type Ask = <Result>(change: Change) => Promise<Result>;

/** Changes flags; with `unchangedSince` only of messages that were not changed behind that modseq. */
export async function storeFlags(
  ask: Ask,
  place: RecentPlace,
  uids: UidSet,
  operation: StoreOperation,
  flags: readonly string[],
  unchangedSince: number | null,
): Promise<StoreResult> {
  const answer = await ask<{ changed: string; modified: string; modseq: number }>({
    op: 'store',
    ...place,
    uids: uids.toString(),
    operation,
    flags: [...flags],
    unchangedSince,
  });
  return {
    changed: UidSet.parse(answer.changed),
    modified: UidSet.parse(answer.modified),
    modseq: answer.modseq,
  };
}

/** Copies messages, or moves them. */
export async function transfer(
  ask: Ask,
  place: RecentPlace,
  uids: UidSet,
  to: MailboxName,
  move: boolean,
): Promise<CopyResult> {
  const answer = await ask<{ uidvalidity: number; source: string; destination: string }>({
    op: 'copy',
    ...place,
    uids: uids.toString(),
    to,
    move,
  });
  return {
    uidvalidity: answer.uidvalidity,
    source: UidSet.parse(answer.source),
    destination: UidSet.parse(answer.destination),
  };
}

/** Expunges messages, all if `uids` is null: those marked \Deleted, or with `unmarked` the others, too. */
export async function expunge(
  ask: Ask,
  place: RecentPlace,
  uids: UidSet | null,
  unmarked: boolean,
): Promise<{ expunged: UidSet; modseq: number }> {
  const answer = await ask<{ expunged: string; modseq: number }>({
    op: 'expunge',
    ...place,
    uids: uids === null ? null : uids.toString(),
    unmarked,
  });
  return { expunged: UidSet.parse(answer.expunged), modseq: answer.modseq };
}
