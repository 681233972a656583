/** What actions that store or send the message have in common. */
import { outboundAddress } from './address.ts';
import type { Draft, Modifier } from './extension.ts';
import { printable } from './lexer.ts';
import { fromOctets, strictFromOctets } from './octets.ts';
import type { Action } from './result.ts';
import { type Run, ScriptError } from './run.ts';

/** An action with what its tags change about it. */
export function draft(run: Run, mailbox: string | null, modifiers: readonly Modifier[]): Draft {
  const made: Draft = {
    copy: false,
    placement: { mailbox, flags: run.result.flags, content: run.message.content() },
  };
  for (let i = 0; i < modifiers.length; i++) (modifiers[i] as Modifier).apply(run, made);
  return made;
}

/** Adds an action to the result within the budget; `trace` is what it is for the person who reads. */
export function act(run: Run, action: Action, trace: () => string): void {
  const { result, limits } = run;
  if (result.actions.length >= limits.actions) {
    throw new ScriptError(`total number of actions exceeds policy limit (${limits.actions})`);
  }
  result.actions.push(action);
  if (run.trace !== null) run.note(trace());
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
export function addressWrong(octets: string): string | null {
  return outboundAddress(octets) === null
    ? `"${
      printable(octets)
    }" is no address that mail can be sent to: expected 'user@domain' or 'Name <user@domain>'`
    : null;
}

/** The addr-spec of such an address, as Unicode. */
export function addressOf(octets: string): string {
  const outbound = outboundAddress(octets);
  if (outbound === null) throw new ScriptError(addressWrong(octets) ?? '');
  return fromOctets(outbound.address);
}
