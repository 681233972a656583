/** New messages: what deliveries and APPEND share, and APPEND. */
import { limitError, userError } from '../../../errors.ts';
import {
  DELETED,
  type FlagBits,
  keywordBit,
  MAX_KEYWORDS,
  SEEN,
  systemFlagBit,
  unionFlags,
} from '../../flags.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import type { AddedMessage, PartData } from '../../log/events.ts';
import { hasRight } from '../../rights.ts';
import { partFile } from '../../spool/spool.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, demand } from '../context.ts';
import type { Change, MessageData } from '../requests.ts';
import { seenOf } from './seen.ts';

type Append = Extract<Change, { op: 'append' }>;

/** Largest UID a message can get (RFC 9051 §2.3.1.1: 32 bits; 4294967295 is left to `*`). */
export const LAST_UID = 0xfffffffe;

/** Throws 'overquota' unless `size` bytes and `messages` messages more fit the mailbox's quota root. */
export function checkQuota(index: OwnerIndex, row: MailboxRow, size: number, messages: number): void {
  if (row.quotaroot !== null) checkRoot(index, row.quotaroot, size, messages);
}

/** The same for a quota root by its path. */
export function checkRoot(index: OwnerIndex, root: string, size: number, messages: number): void {
  const quota = index.quotas.get(root);
  if (quota === undefined) return;
  if (quota.storageLimit !== null && quota.storage + size > quota.storageLimit) {
    throw userError('overquota', 'Over quota');
  }
  if (quota.messageLimit !== null && quota.messages + messages > quota.messageLimit) {
    throw userError('overquota', 'Over quota: too many messages');
  }
}

/**
 * The bits of named flags in a mailbox, and the keywords that have to be made for them. Keywords are compared without
 * regard to case (RFC 9051 §2.3.2). Throws 'limit' when the mailbox can hold no more keywords.
 */
export function flagBits(
  row: MailboxRow,
  names: readonly string[],
): { bits: FlagBits; newKeywords: string[] } {
  let bits: FlagBits = { lo: 0, hi: 0 };
  const newKeywords: string[] = [];
  for (const name of names) {
    if (name.startsWith('\\')) {
      bits = { lo: (bits.lo | systemFlagBit(name)) >>> 0, hi: bits.hi };
      continue;
    }
    const lower = name.toLowerCase();
    let at = row.keywords.findIndex((known) => known.toLowerCase() === lower);
    if (at === -1) {
      const made = newKeywords.findIndex((known) => known.toLowerCase() === lower);
      at = row.keywords.length + (made === -1 ? newKeywords.push(name) - 1 : made);
    }
    if (at >= MAX_KEYWORDS) {
      throw limitError(`The mailbox holds ${MAX_KEYWORDS} keywords already; use one of those`);
    }
    bits = unionFlags(bits, keywordBit(at));
  }
  return { bits, newKeywords };
}

/** The flags that somebody with these rights may give to a new message (RFC 4314 §4). */
export function allowedFlags(rights: string, flags: readonly string[]): string[] {
  return flags.filter((name) =>
    hasRight(rights, systemFlagBit(name) === SEEN ? 's' : systemFlagBit(name) === DELETED ? 't' : 'w')
  );
}

/** The part of a new message. Its file name is unique because the LSN is. */
export function newPart(
  context: Context,
  index: OwnerIndex,
  row: MailboxRow,
  message: MessageData,
  blobs: { structure: number; body: number | null },
  id: number = index.nextPart,
): PartData {
  const { stage, ...data } = message;
  return {
    id,
    ...data,
    file: partFile(message.hash, context.lsn, id),
    partition: row.partition,
    structure: blobs.structure,
    source: stage === null ? { blob: blobs.body as number } : { stage },
  };
}

/** The first of the UIDs that `count` new messages get. */
export function nextUid(row: MailboxRow, count = 1): number {
  if (row.uidnext + count - 1 > LAST_UID) throw userError('cannot', 'The mailbox has used up its UIDs');
  return row.uidnext;
}

/**
 * APPEND (RFC 9051 §6.3.12) of one message or several (RFC 3502): one event, so all of them or none. The rights decide
 * which flags stay (RFC 4314 §4).
 */
export function decideAppend(
  context: Context,
  change: Append,
  blobs: readonly Uint8Array[],
): { uids: string; uidvalidity: number } {
  const { messages } = change;
  const { index, row, rights } = context.mailbox(change.name, change.by);
  demand(rights, 'i', 'add messages to this mailbox');
  checkQuota(index, row, messages.reduce((sum, { data }) => sum + data.size, 0), messages.length);
  const first = nextUid(row, messages.length);
  const allowed = messages.map(({ flags }) => allowedFlags(rights, flags));
  const { newKeywords } = flagBits(row, [...new Set(allowed.flat())]);
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  // \Seen of somebody else's mailbox is kept per user.
  const own = change.by.userid === index.userid;
  const parts: PartData[] = [];
  const added: AddedMessage[] = [];
  const seen: number[] = [];
  let blob = 0;
  messages.forEach(({ data, internaldate }, at) => {
    const places = {
      structure: context.blob(blobs[blob++] as Uint8Array),
      body: data.stage === null ? context.blob(blobs[blob++] as Uint8Array) : null,
    };
    const part = newPart(context, index, row, data, places, index.nextPart + at);
    const { lo, hi } = flagBits(row, allowed[at] as string[]).bits;
    if (!own && (lo & SEEN) !== 0) seen.push(first + at);
    parts.push(part);
    added.push([
      first + at,
      own ? lo : (lo & ~SEEN) >>> 0,
      hi,
      internaldate ?? context.now,
      context.now,
      part.id,
    ]);
  });
  const q = index.nextModseq();
  context.emit(index, { k: 'add', mb: row.id, q, parts, msgs: added, dup: null });
  if (seen.length > 0) {
    const { userid } = change.by;
    const uids = seenOf(index, row.id, userid).union(UidSet.fromSorted(seen));
    context.emit(index, { k: 'seen', mb: row.id, q, userid, u: uids.toString() });
  }
  return { uids: UidSet.range(first, first + messages.length - 1).toString(), uidvalidity: row.uidvalidity };
}
