/** Carries out what was decided, in the world of a test. */

import { eachField } from '../../../mime/header.ts';
import { redirected, wasRedirectedBy } from '../../../outgoing/forms/redirect.ts';
import { Mail } from '../../../sieve/mail/mail.ts';
import { allParts } from '../../../sieve/mail/part.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import {
  type Action,
  type Content,
  type PipeAction,
  type Placement,
  placement,
  type RedirectAction,
} from '../../../sieve/result.ts';
import { notify, reject, report, senderBy, vacation } from './answers.ts';
import { canonical, INBOX, type World } from './world.ts';

/** True if every action that was not carried out before succeeded. Why not stands among the errors. */
export async function execute(world: World): Promise<boolean> {
  let fine = true;
  let kept = false;
  for (const action of world.result.decided()) {
    // The implicit keep is made anew each time it is asked for; its result stands for it.
    const key = action.kind === 'keep' && action.implicit ? world.result : action;
    kept ||= action.kind === 'keep';
    if (world.done.has(key)) continue;
    world.done.add(key);
    const wrong = await carryOut(world, action);
    if (wrong === null) continue;
    for (const text of wrong) world.error(text);
    fine = false;
  }
  // RFC 5228 §2.10.6: what could not be done must not lose the message, which is kept as it came.
  if (!fine && !kept) store(world, placement(null, [], null));
  return fine;
}

/** What went wrong, or null. */
async function carryOut(world: World, action: Action): Promise<readonly string[] | null> {
  switch (action.kind) {
    case 'keep':
    case 'fileinto':
      return store(world, action.placement);
    case 'snooze':
      return store(world, { ...action.placement, mailbox: 'Snoozed', create: true });
    case 'redirect':
      return redirect(world, action);
    case 'discard':
      return null;
    case 'reject':
      reject(world, action);
      return null;
    case 'pipe':
      return await pipe(world, action);
    case 'report':
      report(world, action);
      return null;
    case 'vacation':
      return copy(world, action.fcc, vacation(world, action));
    case 'notify':
      return copy(world, action.fcc, notify(world, action));
  }
}

function copy(world: World, fcc: Placement | null, content: Content): readonly string[] | null {
  return fcc === null || content === null ? null : store(world, { ...fcc, content });
}

function bytesOf(world: World, content: Content): Uint8Array {
  return content === null ? world.source : Buffer.concat(content);
}

/** A message that was redirected by this owner before is in a loop: it is kept instead. */
function redirect(world: World, { address, content }: RedirectAction): readonly string[] | null {
  const bytes = bytesOf(world, content);
  const header = bytes.subarray(0, eachField(bytes, () => true));
  const recipient = fromOctets(world.envelope.to);
  const owner = world.userEmail ?? recipient;
  if (wasRedirectedBy(header, owner) || wasRedirectedBy(header, recipient)) {
    world.log(`not redirected to ${address}: mail loop`);
    return store(world, placement(null, [], content));
  }
  const sender = fromOctets(world.envelope.from);
  // A message that must not be answered stays one.
  const from = sender === '' ? '' : senderBy(world, 'sieve_redirect_envelope_from') ?? sender;
  world.send(from, address, Buffer.concat(redirected([bytes], owner)));
  return null;
}

async function pipe(world: World, { program, args, content }: PipeAction): Promise<readonly string[] | null> {
  const { failed } = await world.runProgram({
    kind: 'pipe',
    name: program,
    args,
    input: bytesOf(world, content),
    sender: fromOctets(world.envelope.from),
    recipient: fromOctets(world.envelope.to),
    originalRecipient: fromOctets(world.envelope.originalTo ?? world.envelope.to),
  });
  if (failed === null) return null;
  const what = `failed to pipe the message to program "${program}"`;
  return failed.includes('it took more') ? [failed, what] : [`${what}: ${failed}`];
}

/** Dovecot's store marks what it stores by whether it has attachments, and its test files count that keyword. */
function withAttachmentKeyword(bytes: Uint8Array, flags: readonly string[]): string[] {
  const { root } = new Mail(bytes);
  const attached = [...allParts(root)].some((part) =>
    part.fields('content-disposition').raw[0]?.toLowerCase().startsWith('attachment') === true
  );
  const others = flags.filter((flag) => !/^\$has(?:no)?attachment$/i.test(flag));
  return [...others, attached ? '$HasAttachment' : '$HasNoAttachment'];
}

function store(world: World, { mailbox, flags, content, create }: Placement): readonly string[] | null {
  const name = canonical(mailbox ?? INBOX);
  const failed = `failed to store into mailbox '${name}'`;
  if (name.split('.').some((level) => level === '') || name.includes('/')) {
    return [`${failed}: invalid mailbox name`];
  }
  if (create || name === INBOX) world.create(name);
  const messages = world.mailboxes.get(name);
  if (messages === undefined) return [`${failed}: it does not exist`];
  const bytes = bytesOf(world, content);
  messages.push({ bytes, flags: withAttachmentKeyword(bytes, flags) });
  return null;
}
