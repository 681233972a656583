/**
 * Deliveries: what LMTP brings, and where a Sieve script wants it.
 *
 * Invariants
 * 1. Each recipient succeeds or fails for itself. All placements and marks of one are done, or none.
 * 2. Duplicates are tested and set with the message itself (DESIGN rule 14).
 * 3. A script places messages with the rights its owner has in IMAP; only by its address a mailbox takes mail with the
 *    poster's, and an INBOX with none.
 */
import { MailError, userError } from '../../../errors.ts';
import { SEEN } from '../../flags.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import { type MailboxRow, quotarootOf } from '../../index/rows.ts';
import { isSharedOwner } from '../../names.ts';
import { hasRight, mayPost } from '../../rights.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, noMailbox } from '../context.ts';
import type {
  Change,
  DeliveredPlace,
  DeliveredTarget,
  DeliveryAddress,
  MessageData,
  PlacementData,
} from '../requests.ts';
import { fittingFlags } from './fitting.ts';
import { demandCreate } from './mailbox.ts';
import { checkMarks, emitMarks } from './mark.ts';
import { allowedFlags, checkRoot, flagBits, newPart, nextUid } from './message.ts';
import { seenOf } from './seen.ts';
import { awake, bedroom, waking } from './snooze.ts';
import { createMailbox, createUser, ensureOwner } from './user.ts';

type Deliver = Extract<Change, { op: 'deliver' }>;
type By = NonNullable<DeliveryAddress['by']>;

/** A message of the change, and where its blobs stand in the record once it is placed somewhere. */
interface Incoming {
  readonly data: MessageData;
  readonly blobs: readonly Uint8Array[];
  places: { structure: number; body: number | null } | null;
  /** Its part in each index: mailboxes of one owner share it, as after a COPY. */
  readonly parts: Map<OwnerIndex, number>;
}

/** A mailbox that gets the message. */
interface Place {
  readonly index: OwnerIndex | null;
  /** Null where it is to be made. */
  readonly row: MailboxRow | null;
  readonly placement: PlacementData;
  /** The owner's of the script. */
  readonly by: By;
  /** Where a message goes that sleeps in this place first. */
  readonly later?: Place;
}

/** Delivers messages in one record; each target succeeds or fails for itself. */
export function decideDeliver(
  context: Context,
  change: Deliver,
  blobs: readonly Uint8Array[],
): DeliveredTarget[] {
  let at = 0;
  const messages = change.messages.map((data): Incoming => {
    const from = at;
    at += data.stage === null ? 2 : 1;
    return { data, blobs: blobs.slice(from, at), places: null, parts: new Map() };
  });
  return change.targets.map((target) => {
    const before = context.events;
    const at = { placement: 0 };
    try {
      const message = messages[target.message ?? 0] as Incoming;
      return deliverOne(context, change.ignoreQuota, target, message, at);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      // A refusal comes before the message is placed; a failure after it leaves half a target: none of the record stays.
      if (error.kind === 'server' && context.events !== before) throw error;
      const { kind, code, message: text } = error;
      const failed = target.placements === undefined ? {} : { failed: at.placement };
      return { userid: target.userid, path: target.path, error: { kind, code, text }, ...failed };
    }
  });
}

/** The index of a recipient, made where settings say so. */
function recipientIndex(context: Context, userid: string): OwnerIndex {
  const { settings } = context;
  const owner = context.owner(userid);
  if (isSharedOwner(userid)) {
    if (owner === null) throw userError('nouser', 'User unknown');
    return context.index(owner);
  }
  if (owner !== null) {
    const index = context.index(owner);
    if (index.byPath.has('')) return index;
  }
  if (!settings.createonpost || settings.autocreatequota === 0) throw userError('nouser', 'User unknown');
  createUser(context, userid);
  return context.index(ensureOwner(context, userid));
}

function deliverOne(
  context: Context,
  ignoreQuota: boolean,
  target: DeliveryAddress,
  message: Incoming,
  at: { placement: number },
): DeliveredTarget {
  const { userid } = target;
  const index = recipientIndex(context, userid);
  const by = target.by ?? { userid, admin: false, groups: [], groupsUnknown: true };
  checkMarks(context, index, target.marks);
  const placements = target.placements ?? [
    { owner: userid, path: target.path, flags: [], byAddress: true },
  ];
  const places: Place[] = [];
  /** For each placement the place that stands for it. */
  const standing = placements.map((placement, number): number => {
    at.placement = number;
    const place = sleeping(context, index, resolveOrInbox(context, index, target, placement, by));
    const known = places.findIndex((other) => isSame(other, place));
    if (known === -1) return places.push(place) - 1;
    if (place.later !== undefined) places[known] = place;
    return known;
  });
  const { data } = message;
  const remember = context.settings.duplicatesuppression && data.messageId !== null
    ? `${data.messageId} ${data.sentDate ?? ''}`
    : null;
  const fresh = places.map(({ index, row }) => !isDuplicate(index, row, remember));
  if (!ignoreQuota) checkQuotas(places.filter((_, number) => fresh[number]), data.size);
  for (const { row } of places) if (row !== null) nextUid(row);
  const placed = places.map((place, number) => {
    const { index, row } = made(context, place);
    const uid = fresh[number] ? put(context, index, row, place, message, remember) : null;
    return placedAt(index, row, uid);
  });
  emitMarks(context, index, target.marks);
  if (target.placements !== undefined) {
    return { userid, path: target.path, placed: standing.map((number) => placed[number] as DeliveredPlace) };
  }
  const { path, uid, uidvalidity } = placed[0] as DeliveredPlace;
  return uid === null ? { userid, path, duplicate: true } : { userid, path, uid, uidvalidity };
}

function placedAt({ userid }: OwnerIndex, row: MailboxRow, uid: number | null): DeliveredPlace {
  const { path, mailboxid, uidvalidity } = row;
  return { owner: userid, path, mailboxid, uid, uidvalidity };
}

function isSame(a: Place, b: Place): boolean {
  if (a.row !== null || b.row !== null) return a.row === b.row && a.index === b.index;
  return a.placement.owner === b.placement.owner && a.placement.path === b.placement.path;
}

/** A place where a message sleeps before it goes to another one, if it is to sleep and can. */
function sleeping(context: Context, index: OwnerIndex, place: Place): Place {
  const { placement, by } = place;
  if (placement.snooze === undefined) return place;
  const own = place.index === index && (place.row !== null || placement.owner === index.userid);
  const bed = own ? bedroom(context, index, placement, by) : null;
  if (bed === null) return { ...place, placement: awake(placement) };
  return { index, row: bed.row, placement: bed.placement, by, later: place };
}

/** The mailbox of a placement, or the INBOX where that may stand for it. */
function resolveOrInbox(
  context: Context,
  recipient: OwnerIndex,
  target: DeliveryAddress,
  placement: PlacementData,
  by: By,
): Place {
  try {
    return resolve(context, recipient, target, placement, by);
  } catch (thrown) {
    if (placement.orInbox !== true || !(thrown instanceof MailError) || thrown.kind === 'server') {
      throw thrown;
    }
    return { index: recipient, row: posted(recipient, '', null), placement, by };
  }
}

/** The mailbox of a placement; one to be made has no row yet. Throws unless the message may be put there. */
function resolve(
  context: Context,
  recipient: OwnerIndex,
  target: DeliveryAddress,
  placement: PlacementData,
  by: By,
): Place {
  const { owner: userid, path } = placement;
  const owner = userid === recipient.userid ? null : context.owner(userid);
  const index = userid === recipient.userid ? recipient : owner === null ? null : context.index(owner);
  if (placement.byAddress === true && index === recipient) {
    return { index, row: posted(recipient, path, target.poster), placement, by };
  }
  const row = index === null ? undefined : wanted(index, placement);
  if (index !== null && row !== undefined) {
    // Mail comes to an INBOX whatever its owner did to the rights.
    if (row.path === '' && userid === by.userid) return { index, row, placement, by };
    const rights = context.rights(row, by, userid);
    if (!hasRight(rights, 'l') && !hasRight(rights, 'r')) throw noMailbox();
    if (!hasRight(rights, 'i')) {
      throw userError('noperm', "You lack the right 'i' needed to add messages to this mailbox");
    }
    return { index, row, placement, by };
  }
  if (placement.create !== true) throw noMailbox();
  demandCreate(context, index, { owner: userid, path }, by);
  return { index, row: null, placement, by };
}

/** Where mail to an address goes: its mailbox if the poster may post there, else the INBOX, which a shared hierarchy has not. */
function posted(index: OwnerIndex, path: string, poster: DeliveryAddress['poster']): MailboxRow {
  const row = index.byPath.get(path);
  if (row !== undefined && (path === '' || mayPost(row.acl, poster))) return row;
  const inbox = index.byPath.get('');
  if (inbox === undefined) throw userError('nouser', 'User unknown');
  return inbox;
}

/** The mailbox by its object id (RFC 9042), by its special use (RFC 8579), else by its name. */
function wanted(index: OwnerIndex, { path, mailboxid, specialUse }: PlacementData): MailboxRow | undefined {
  if (mailboxid !== undefined || specialUse !== undefined) {
    const rows = [...index.byPath.values()];
    const use = specialUse?.toLowerCase();
    const found = rows.find((row) => row.mailboxid === mailboxid) ??
      rows.find((row) => row.specialUse.some((each) => each.toLowerCase() === use));
    if (found !== undefined) return found;
  }
  return index.byPath.get(path);
}

function isDuplicate(index: OwnerIndex | null, row: MailboxRow | null, remember: string | null): boolean {
  if (index === null || row === null || remember === null) return false;
  return index.sql('SELECT 1 FROM delivered WHERE messageid = ? AND mailbox = ?').get(remember, row.id) !==
    null;
}

/** All places of a delivery together must fit their quota roots. */
function checkQuotas(places: readonly Place[], size: number): void {
  const roots = new Map<OwnerIndex, Map<string, number>>();
  for (const { index, row, placement } of places) {
    if (index === null) continue;
    const root = row === null ? quotarootOf(placement.path, index.quotas) : row.quotaroot;
    if (root === null) continue;
    let counts = roots.get(index);
    if (counts === undefined) roots.set(index, counts = new Map());
    const count = (counts.get(root) ?? 0) + 1;
    counts.set(root, count);
    checkRoot(index, root, size * count, count);
  }
}

/** The mailbox of a place, made now if it is not there. */
function made(context: Context, { index, row, placement }: Place): { index: OwnerIndex; row: MailboxRow } {
  const { owner, path, specialUse } = placement;
  const there = index ?? context.index(ensureOwner(context, owner));
  if (row !== null) return { index: there, row };
  // Two places may be below one that is made for the first of them.
  const found = there.byPath.get(path);
  if (found !== undefined) return { index: there, row: found };
  return {
    index: there,
    row: createMailbox(context, there, path, specialUse === undefined ? [] : [specialUse]),
  };
}

/** Puts the message into a mailbox. Returns its UID. */
function put(
  context: Context,
  index: OwnerIndex,
  row: MailboxRow,
  { placement, by, later }: Place,
  message: Incoming,
  remember: string | null,
): number {
  const uid = nextUid(row);
  const { bits, newKeywords } = placement.flags.length === 0
    ? { bits: { lo: 0, hi: 0 }, newKeywords: [] }
    : flagBits(row, fittingFlags(row, allowedFlags(context.rights(row, by, index.userid), placement.flags)));
  const own = by.userid === index.userid;
  const lo = own ? bits.lo : (bits.lo & ~SEEN) >>> 0;
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  const known = message.parts.get(index);
  const part = known === undefined
    ? [newPart(context, index, row, message.data, placesOf(context, message))]
    : [];
  const id = known ?? (part[0] as (typeof part)[number]).id;
  message.parts.set(index, id);
  const q = index.nextModseq();
  context.emit(index, {
    k: 'add',
    mb: row.id,
    q,
    parts: part,
    msgs: [[uid, lo, bits.hi, context.now, context.now, id]],
    dup: remember,
  });
  if (!own && (bits.lo & SEEN) !== 0) {
    // \Seen of somebody else's mailbox is kept per user.
    const uids = seenOf(index, row.id, by.userid).union(UidSet.of(uid));
    context.emit(index, { k: 'seen', mb: row.id, q, userid: by.userid, u: uids.toString() });
  }
  if (later !== undefined && placement.snooze !== undefined) {
    const wake = waking(placement.snooze, made(context, later).row);
    context.emit(index, { k: 'snooze', mb: row.id, uid, q: index.nextModseq(), wake });
  }
  return uid;
}

/** Its blobs go into the record with the first place. */
function placesOf(context: Context, message: Incoming): { structure: number; body: number | null } {
  const [structure, body] = message.blobs as [Uint8Array, Uint8Array | undefined];
  return message.places ??= {
    structure: context.blob(structure),
    body: body === undefined ? null : context.blob(body),
  };
}
