/** Deliveries of messages that sleep first (vnd.cyrus.snooze): where they wait, and what is noted with them. */
import { MailError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { Snooze } from '../../border.ts';
import { isKeyword, MAX_KEYWORDS, systemFlagBit } from '../../flags.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { sleeperCount, SNOOZED } from '../../index/snoozed.ts';
import type { Waking } from '../../log/events.ts';
import { hasRight } from '../../rights.ts';
import type { Context } from '../context.ts';
import type { DeliveryAddress, PlacementData } from '../requests.ts';
import { demandCreate } from './mailbox.ts';

/** So many different flags a message can have: five of the system's, and keywords. */
const MAX_FLAGS = 5 + MAX_KEYWORDS;

/** What the mailbox is called where it has to be made. */
const NAME = 'Snoozed';

/**
 * The mailbox where a recipient's messages sleep; a row of null is one to be made as the placement says. Null where none of them
 * can sleep.
 */
export function bedroom(
  context: Context,
  index: OwnerIndex,
  placement: PlacementData,
  by: NonNullable<DeliveryAddress['by']>,
): { row: MailboxRow | null; placement: PlacementData } | null {
  const { snooze } = placement;
  if (snooze === undefined || snooze.until <= context.now) return null;
  if (sleeperCount(index) >= limits.store_snoozed.value) return null;
  const place: PlacementData = {
    owner: index.userid,
    path: NAME,
    flags: placement.flags,
    specialUse: SNOOZED,
    snooze,
  };
  const row = [...index.byPath.values()].find(({ specialUse }) => specialUse.includes(SNOOZED));
  if (row !== undefined) {
    return hasRight(context.rights(row, by, index.userid), 'i') ? { row, placement: place } : null;
  }
  // One of that name that is for something else stays what it is.
  if (index.byPath.has(NAME) || index.byPath.size + 1 >= limits.store_mailboxes.value) return null;
  try {
    demandCreate(context, index, { owner: index.userid, path: NAME }, by);
  } catch (thrown) {
    if (!(thrown instanceof MailError) || thrown.kind === 'server') throw thrown;
    return null;
  }
  return { row: null, placement: place };
}

/** What is noted of a message that sleeps. Of its flags none that no mailbox could give. */
export function waking({ until, addFlags, removeFlags }: Snooze, { mailboxid }: MailboxRow): Waking {
  const flags = (names: readonly string[]): string[] =>
    names.filter((name) => name.startsWith('\\') ? systemFlagBit(name) !== 0 : isKeyword(name))
      .slice(0, MAX_FLAGS);
  return { until: Math.floor(until), to: mailboxid, add: flags(addFlags), remove: flags(removeFlags) };
}

/** A placement of a message that does not sleep: it has at once the flags it would wake with. */
export function awake(placement: PlacementData): PlacementData {
  const { snooze, ...rest } = placement;
  if (snooze === undefined) return placement;
  const removed = new Set(snooze.removeFlags.map((flag) => flag.toLowerCase()));
  const kept = rest.flags.filter((flag) => !removed.has(flag.toLowerCase()));
  return { ...rest, flags: [...kept, ...snooze.addFlags] };
}
