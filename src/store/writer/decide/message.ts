/** New messages: LMTP delivery and APPEND. */
import { limitError, MailError, userError } from '../../../errors.ts';
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
import { hasRight, mayPost } from '../../rights.ts';
import { partFile } from '../../spool/spool.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, demand } from '../context.ts';
import type { Change, DeliveredTarget, DeliveryAddress, MessageData } from '../requests.ts';
import { seenOf } from './seen.ts';
import { createUser } from './user.ts';

type Deliver = Extract<Change, { op: 'deliver' }>;
type Append = Extract<Change, { op: 'append' }>;

/** Largest UID a message can get (RFC 9051 §2.3.1.1: 32 bits; 4294967295 is left to `*`). */
const LAST_UID = 0xfffffffe;

/** Throws 'overquota' unless `size` bytes and `messages` messages more fit the mailbox's quota root. */
export function checkQuota(index: OwnerIndex, row: MailboxRow, size: number, messages: number): void {
  if (row.quotaroot === null) return;
  const quota = index.quotas.get(row.quotaroot);
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

/** Delivers one message to several mailboxes in one record; each target succeeds or fails for itself. */
export function decideDeliver(
  context: Context,
  change: Deliver,
  blobs: readonly Uint8Array[],
): DeliveredTarget[] {
  const places: { structure: number; body: number | null } = { structure: -1, body: null };
  return change.targets.map((target) => {
    const before = context.events;
    try {
      if (places.structure === -1) {
        places.structure = context.blob(blobs[0] as Uint8Array);
        if (change.message.stage === null) places.body = context.blob(blobs[1] as Uint8Array);
      }
      return deliverOne(context, change, target, places);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      // A refusal comes before the message is placed; a failure after it leaves half a target: none of the record stays.
      if (error.kind === 'server' && context.events !== before) throw error;
      const { kind, code, message: text } = error;
      return { userid: target.userid, path: target.path, error: { kind, code, text } };
    }
  });
}

function deliverOne(
  context: Context,
  change: Deliver,
  target: DeliveryAddress,
  places: { structure: number; body: number | null },
): DeliveredTarget {
  const { settings } = context;
  let owner = context.owner(target.userid);
  if (owner === null || !context.index(owner).byPath.has('')) {
    if (!settings.createonpost || settings.autocreatequota === 0) {
      throw userError('nouser', 'User unknown');
    }
    createUser(context, target.userid);
    owner = context.owner(target.userid);
  }
  if (owner === null) throw userError('nouser', 'User unknown');
  const index = context.index(owner);
  const wanted = index.byPath.get(target.path);
  const row = wanted !== undefined && (target.path === '' || mayPost(wanted.acl, target.poster))
    ? wanted
    : index.byPath.get('');
  if (row === undefined) throw userError('nouser', 'User unknown');
  const { messageId, size } = change.message;
  const remember = settings.duplicatesuppression && messageId !== null ? messageId : null;
  if (
    remember !== null &&
    index.sql('SELECT 1 FROM delivered WHERE messageid = ? AND mailbox = ?').get(remember, row.id) !== null
  ) return { userid: target.userid, path: row.path, duplicate: true };
  if (!change.ignoreQuota) checkQuota(index, row, size, 1);
  const uid = nextUid(row);
  const { bits, newKeywords } = flagBits(row, change.flags);
  const part = newPart(context, index, row, change.message, places);
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  context.emit(index, {
    k: 'add',
    mb: row.id,
    q: index.nextModseq(),
    parts: [part],
    msgs: [[uid, bits.lo, bits.hi, context.now, context.now, part.id]],
    dup: remember,
  });
  return { userid: target.userid, path: row.path, uid, uidvalidity: row.uidvalidity };
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
  const allowed = messages.map(({ flags }) =>
    flags.filter((name) =>
      hasRight(rights, systemFlagBit(name) === SEEN ? 's' : systemFlagBit(name) === DELETED ? 't' : 'w')
    )
  );
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
