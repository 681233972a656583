/** What a restore changes: logged like everything else, without looking at rights and quotas (DESIGN rule 3). */
import type { AddedMessage, PartData } from '../../log/events.ts';
import { checkName } from '../../names.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, noMailbox } from '../context.ts';
import type { Change } from '../requests.ts';
import { selectUids } from './flags.ts';
import { flagBits, newPart, nextUid } from './message.ts';
import { emitMetadata } from './metadata.ts';
import { createMailbox, ensureOwner, newUidvalidity } from './user.ts';

type Of<Op extends Change['op']> = Extract<Change, { op: Op }>;

/** More modseqs than an owner is given in any time between a backup and its restore; thousands of restores fit. */
const MODSEQS = 2 ** 28;

/** As many parts: their ids tell a backup what it has already. */
const PARTS = 2 ** 24;

/** UIDs that are skipped where nobody knows how many were given: more than a mailbox is given between two checkpoints or snapshots. */
export const UNKNOWN_UIDS = 2 ** 24;

/** A mailbox whose UIDNEXT would get beyond this gets a new UIDVALIDITY instead: half of the UIDs are left then. */
const HIGHEST_UIDNEXT = 2 ** 31;

/** Raises what clients may know beyond the restored moment, in all mailboxes of an owner. */
export function decideRaise(context: Context, change: Of<'raise'>): { mailboxes: number } {
  const index = context.indexById(change.owner);
  const uidvalidities: [number, number][] = [];
  let next = newUidvalidity(context);
  for (const { id, uidnext } of index.mailboxes.values()) {
    if (change.newUidvalidity || uidnext + change.uids > HIGHEST_UIDNEXT) uidvalidities.push([id, next++]);
  }
  context.emit(index, {
    k: 'raise',
    q: index.modseq + MODSEQS,
    uids: change.uids,
    parts: PARTS,
    uidvalidities,
  });
  for (const [id] of uidvalidities) {
    const row = index.mailboxes.get(id);
    if (row !== undefined && row.deletedat === null) context.publish(index, row);
  }
  return { mailboxes: index.mailboxes.size };
}

/** The mailbox of that name, made with these rights where it is not there. */
export function decideRestoreMailbox(
  context: Context,
  change: Of<'restoremailbox'>,
  blobs: readonly Uint8Array[],
): { owner: number; mailbox: number; made: boolean } {
  const { owner: userid, path } = checkName(change.name);
  const index = context.index(ensureOwner(context, userid));
  const there = index.byPath.get(path);
  if (there !== undefined) return { owner: index.id, mailbox: there.id, made: false };
  const taken = new Set([...index.byPath.values()].flatMap(({ specialUse }) => specialUse));
  const row = createMailbox(context, index, path, change.specialUse.filter((use) => !taken.has(use)));
  if (change.acl !== null) {
    context.emit(index, { k: 'acl', mb: row.id, acl: change.acl });
    context.publish(index, row);
  }
  for (const [userid, entry, blob] of change.metadata) {
    emitMetadata(context, index, row.id, userid, new Map([[entry, blobs[blob] as Uint8Array]]));
  }
  return { owner: index.id, mailbox: row.id, made: true };
}

/** Adds saved messages under new UIDs: the old ones may have been seen as gone. */
export function decideRestoreMessages(
  context: Context,
  change: Of<'restoremessages'>,
  blobs: readonly Uint8Array[],
): { uids: string } {
  const index = context.indexById(change.owner);
  const row = index.mailboxes.get(change.mailbox);
  if (row === undefined || row.deletedat !== null) throw noMailbox();
  const { messages } = change;
  const first = nextUid(row, messages.length);
  const { newKeywords } = flagBits(row, [...new Set(messages.flatMap(({ flags }) => flags))]);
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  const parts: PartData[] = [];
  const added: AddedMessage[] = [];
  let blob = 0;
  messages.forEach(({ data, flags, internaldate }, at) => {
    const places = {
      structure: context.blob(blobs[blob++] as Uint8Array),
      body: data.stage === null ? context.blob(blobs[blob++] as Uint8Array) : null,
    };
    const part = newPart(context, index, row, data, places, index.nextPart + at);
    const { lo, hi } = flagBits(row, flags).bits;
    parts.push(part);
    added.push([first + at, lo, hi, internaldate, context.now, part.id]);
  });
  context.emit(index, { k: 'add', mb: row.id, q: index.nextModseq(), parts, msgs: added, dup: null });
  return { uids: UidSet.range(first, first + messages.length - 1).toString() };
}

/** Gives messages the flags they were saved with; those that are gone or have them are left alone. */
export function decideRestoreFlags(context: Context, change: Of<'restoreflags'>): { changed: number } {
  const index = context.indexById(change.owner);
  const row = index.mailboxes.get(change.mailbox);
  if (row === undefined || row.deletedat !== null) throw noMailbox();
  const { newKeywords } = flagBits(row, [...new Set(change.flags.flatMap(([, flags]) => flags))]);
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  const q = index.nextModseq();
  let changed = 0;
  for (const [uids, flags] of change.flags) {
    const { lo, hi } = flagBits(row, flags).bits;
    const other = selectUids(index, row.id, UidSet.parse(uids), 'AND flags <> ((? << 32) | ?)', [hi, lo]);
    if (other.isEmpty) continue;
    context.emit(index, { k: 'flags', mb: row.id, q, u: other.toString(), op: 'replace', lo, hi });
    changed += other.size;
  }
  return { changed };
}
