/** What actions that store or send the message have in common. */
import { decodeHeader } from '../mime/encodedword.ts';
import { outboundAddress } from './address.ts';
import type { Draft, Modifier } from './extension.ts';
import { printable } from './lexer.ts';
import { fromOctets, isAscii, strictFromOctets } from './octets.ts';
import {
  type Action,
  type FileintoAction,
  type KeepAction,
  type NamedAddress,
  type Placement,
  placement,
} from './result.ts';
import { type Run, ScriptError } from './run.ts';
import type { Settings } from './settings.ts';

/** What the tags of an action say about it. `target` is what it has without them. */
export function draft(
  run: Run,
  modifiers: readonly Modifier[],
  target: Placement = placement(null, [], null),
): Draft {
  const made: Draft = {
    copy: false,
    target,
    fcc: null,
    dispatch: { notify: null, ret: null, deliverBy: null },
  };
  for (let i = 0; i < modifiers.length; i++) (modifiers[i] as Modifier).apply(run, made);
  return made;
}

/** Where the message goes as it is now, with the flags of the script. */
export function messageTo(run: Run, mailbox: string | null): Placement {
  return placement(mailbox, run.result.flags, run.content());
}

/** Adds an action to the result within the budget; `trace` is what it is for the person who reads. */
export function act(run: Run, action: Action, trace: () => string): void {
  const { result } = run;
  checkConflict(run, action.kind);
  if (result.decidedBefore(action.kind)) {
    if (run.trace !== null) run.note(`${action.kind} was decided by a script before this one`);
    return;
  }
  checkRoom(run);
  result.actions.push(action);
  if (run.trace !== null) run.note(trace());
}

/** Adds a keep or fileinto. One that adds no copy only changes what was said before about that mailbox (RFC 5232 §3). */
export function place(run: Run, action: KeepAction | FileintoAction, trace: () => string): void {
  const { actions } = run.result;
  const at = run.result.placed(action.placement, run.defaultMailbox);
  const before = actions[at];
  if (before === undefined || !('placement' in before) || before.kind === 'snooze') {
    act(run, action, trace);
    return;
  }
  // What is kept is kept, whatever filed it there before.
  if (action.kind === 'keep' && before.kind === 'fileinto') actions[at] = action;
  else before.placement = { ...action.placement, mailbox: before.placement.mailbox };
  if (run.trace !== null) run.note(`${trace()}, as before`);
}

/** Throws if there is no room for another action. */
export function checkRoom({ result, limits }: Run): void {
  if (result.actions.length < limits.actions) return;
  throw new ScriptError(`total number of actions exceeds policy limit (${limits.actions})`);
}

/** Throws if an action was decided that excludes one of this kind. */
export function checkConflict({ result }: Run, kind: Action['kind']): void {
  const conflict = result.conflict(kind);
  if (conflict === null) return;
  throw new ScriptError(
    conflict === kind
      ? `${kind} was decided already: expected it once`
      : `${kind} excludes ${conflict}, which was decided before`,
  );
}

/** What is wrong with octets as the name of a mailbox, or null. Whether it can be there at all is the store's to say. */
export function mailboxNameWrong(octets: string): string | null {
  if (octets === '') return 'invalid folder name "": expected a name';
  if (/[\x00-\x1f\x7f]/.test(octets)) {
    return `invalid folder name "${printable(octets)}": it has control characters`;
  }
  return strictFromOctets(octets) === null
    ? `invalid folder name "${printable(octets)}": it is no UTF-8`
    : null;
}

/** The name of a mailbox as Unicode. */
export function mailboxName(octets: string): string {
  const wrong = mailboxNameWrong(octets);
  if (wrong !== null) throw new ScriptError(wrong);
  return fromOctets(octets);
}

/** What is wrong with octets as an address that mail is sent to (RFC 5228 §2.4.2.3), or null. */
export function addressWrong(octets: string, settings: Settings): string | null {
  if (outboundAddress(octets) === null) {
    return `"${
      printable(octets)
    }" is no address that mail can be sent to: expected 'user@domain' or 'Name <user@domain>'`;
  }
  return settings.utf8Addresses || isAscii(outboundAddress(octets)?.address ?? '')
    ? null
    : `"${printable(octets)}" has characters beyond ASCII, and mail cannot be sent to such addresses here`;
}

/** Such an address with the name before it, as Unicode. */
export function mailboxOf(octets: string, settings: Settings): NamedAddress {
  const wrong = addressWrong(octets, settings);
  const outbound = outboundAddress(octets);
  if (wrong !== null || outbound === null) throw new ScriptError(wrong ?? '');
  const { address, phrase } = outbound;
  return {
    address: fromOctets(address),
    name: phrase === null || phrase === '' ? null : decodeHeader(phrase),
  };
}

/** The addr-spec of such an address, as Unicode. */
export function addressOf(octets: string, settings: Settings): string {
  return mailboxOf(octets, settings).address;
}
