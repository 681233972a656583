/** Copies of the message in mailboxes: names as scripts have them, made mailboxes of the store. */

import { asMailError } from '../errors.ts';
import type { Content, Placement as ScriptPlacement, SnoozeAction } from '../sieve/result.ts';
import type { ListedMailbox, MailboxName, Placement } from '../store/border.ts';
import { decodeMutf7, encodeMutf7 } from '../store/mutf7.ts';
import type { Occasion } from './occasion.ts';
import type { Plan } from './plan.ts';

/** Where mail goes that nobody wants anywhere else: where its address says. */
export function keptByDefault({ recipient: { target } }: Occasion): Placement {
  return { mailbox: target.name, byAddress: true };
}

/** The same by the name that a script gives it, so that to file there and to keep is one thing (RFC 5228 §2.10.3). */
export function defaultMailbox({ recipient: { target }, namespace, settings }: Occasion): string {
  const name = namespace.toExternal(target.name);
  return settings.sieve_utf8fileinto ? name : encodeMutf7(name);
}

/** Plans a copy. */
export function file(plan: Plan, placement: ScriptPlacement, occasion: Occasion): void {
  place(plan, placement.content, storePlacement(placement, occasion));
}

/** Plans a copy that sleeps before it gets where the script wants it. */
export function snooze(plan: Plan, action: SnoozeAction, occasion: Occasion): void {
  const { addFlags, placement, removeFlags, until } = action;
  const wake = { until, addFlags, removeFlags };
  place(plan, placement.content, { ...storePlacement(placement, occasion), snooze: wake });
  plan.actions.push(`snooze ${new Date(until * 1000).toISOString()} ${placement.mailbox}`);
}

/** Adds a copy of the message as it was at one moment; copies of the same bytes are one message. */
export function place(plan: Plan, content: Content, placement: Placement): void {
  const filing = plan.filings.find((filing) => isSame(filing.content, content));
  if (filing === undefined) plan.filings.push({ content, placements: [placement] });
  else filing.placements.push(placement);
}

function isSame(a: Content, b: Content): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((piece, at) => Buffer.compare(piece, b[at] as Uint8Array) === 0);
}

/** A name that no mailbox can have is no reason to lose mail: what cannot be filed is kept, as by the store what is not there. */
export function storePlacement(placement: ScriptPlacement, occasion: Occasion): Placement {
  const { mailbox: name, flags, create, specialUse, mailboxId } = placement;
  if (name === null) return { ...keptByDefault(occasion), flags };
  try {
    const mailbox = mailboxFor(placement, name, occasion);
    return {
      mailbox,
      flags,
      orInbox: true,
      create: create || madeByItself(mailbox, occasion),
      ...(specialUse === null ? {} : { specialUse }),
      ...(mailboxId === null ? {} : { mailboxid: mailboxId }),
    };
  } catch (thrown) {
    const { message } = asMailError(thrown);
    occasion.log.warn('kept instead of filed', { folder: name, reason: message });
    return { ...keptByDefault(occasion), flags };
  }
}

/**
 * The mailbox of a placement. Special uses and ids are those of the owner's mailboxes (RFC 8579 §4, RFC 9042 §4), which the store looks
 * for where the name is: for a name elsewhere that is done here.
 */
function mailboxFor(
  { specialUse, mailboxId }: ScriptPlacement,
  name: string,
  occasion: Occasion,
): MailboxName {
  const { owner: { userid }, store } = occasion;
  const named = mailboxNamed(name, occasion);
  if (named.owner === userid || (specialUse === null && mailboxId === null)) return named;
  const session = store.session({ userid, admin: false, groups: [], groupsUnknown: true });
  const own = session.list().find((each) =>
    each.name.owner === userid && each.selectable &&
    (each.mailboxid === mailboxId || specialUse !== null && hasUse(each, specialUse))
  );
  return own?.name ?? named;
}

/** Whether a mailbox has a special use; flags are the same in any case (RFC 9051 §2.3.2). */
export function hasUse({ specialUse }: Pick<ListedMailbox, 'specialUse'>, use: string): boolean {
  const wanted = use.toLowerCase();
  return specialUse.some((each) => each.toLowerCase() === wanted);
}

/** The mailbox a script means. @throws MailError 'cannot' or 'nonexistent' for a name that none of the owner's can have */
export function mailboxNamed(name: string, { namespace, settings }: Occasion): MailboxName {
  const decoded = settings.sieve_utf8fileinto ? null : decodeMutf7(name);
  return namespace.toInternal(decoded ?? name);
}

/** Whether a folder of the owner's comes into being when a script wants it (`anysievefolder`, `autosievefolders`). */
function madeByItself({ owner, path }: MailboxName, { owner: { userid }, settings }: Occasion): boolean {
  if (owner !== userid) return false;
  if (settings.anysievefolder) return true;
  const separator = settings.unixhierarchysep ? '/' : '.';
  return settings.autosievefolders.some((folder) => folder.split(separator).join('/') === path);
}
