/** Carries out what was decided, in the world of a test. */

import { eachField } from '../../../mime/header.ts';
import type { Envelope, OutgoingMessage } from '../../../outgoing/envelope.ts';
import type { Mailbox, Stamp } from '../../../outgoing/forms/draft.ts';
import type { Original } from '../../../outgoing/forms/original.ts';
import { notification } from '../../../outgoing/forms/notification.ts';
import { abuseReport } from '../../../outgoing/forms/report.ts';
import { redirected } from '../../../outgoing/forms/redirect.ts';
import { rejectionDsn, rejectionMdn } from '../../../outgoing/forms/reject.ts';
import { vacationReply } from '../../../outgoing/forms/vacation.ts';
import { whyNoReply, whyNoReport } from '../../../outgoing/responder.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import type {
  Action,
  Content,
  NotifyAction,
  PipeAction,
  Placement,
  RejectAction,
  ReportAction,
  VacationAction,
} from '../../../sieve/result.ts';
import { canonical, INBOX, type World } from './world.ts';

/** True if every action that was not carried out before succeeded. Why not stands among the errors. */
export async function execute(world: World): Promise<boolean> {
  let fine = true;
  for (const action of world.result.decided()) {
    // The implicit keep is made anew each time it is asked for; its result stands for it.
    const key = action.kind === 'keep' && action.implicit ? world.result : action;
    if (world.done.has(key)) continue;
    world.done.add(key);
    const wrong = await carryOut(world, action);
    if (wrong === null) continue;
    world.error(wrong);
    fine = false;
  }
  return fine;
}

/** What went wrong, or null. */
function carryOut(world: World, action: Action): string | null | Promise<string | null> {
  switch (action.kind) {
    case 'keep':
      return store(world, action.placement);
    case 'fileinto':
      return store(world, action.placement);
    case 'redirect':
      world.send(
        envelopePolicy(world, 'sieve_redirect_envelope_from') ?? fromOctets(world.envelope.from),
        action.address,
        forwarded(world, action.content),
      );
      return null;
    case 'discard':
      return null;
    case 'reject':
      return reject(world, action);
    case 'pipe':
      return pipe(world, action);
    case 'report':
      return report(world, action);
    case 'vacation':
      return vacation(world, action);
    case 'notify':
      return notify(world, action);
  }
}

/** What answers and reports say of the message. */
function originalOf(world: World): Original {
  const bytes = world.source;
  return {
    header: bytes.subarray(0, eachField(bytes, () => true)),
    whole: bytes,
    sender: fromOctets(world.envelope.from),
    recipient: fromOctets(world.envelope.to),
  };
}

function stamp(world: World): Stamp {
  return { now: new Date(), messageId: `test-${world.nextStamp()}`, servername: 'localhost' };
}

function send(world: World, { envelope, message }: { envelope: Envelope; message: OutgoingMessage }): void {
  const bytes = Buffer.concat([...message.chunks()]);
  for (const { address } of envelope.recipients) world.send(envelope.sender, address, bytes);
}

function reject(world: World, { early, reason }: RejectAction): null {
  const original = originalOf(world);
  const why = whyNoReport(original);
  if (why !== null) {
    world.log(`not rejected: ${why}`);
    return null;
  }
  const form = early ? rejectionDsn : rejectionMdn;
  send(world, form({ original, reason, postmaster: 'postmaster@example.com', stamp: stamp(world) }));
  return null;
}

async function pipe(world: World, { program, args, content }: PipeAction): Promise<string | null> {
  const { failed } = await world.runProgram({
    kind: 'pipe',
    name: program,
    args,
    input: bytesOf(world, content),
    sender: fromOctets(world.envelope.from),
    recipient: fromOctets(world.envelope.to),
    originalRecipient: fromOctets(world.envelope.originalTo ?? world.envelope.to),
  });
  return failed === null ? null : `failed to pipe the message: ${failed}`;
}

function report(world: World, { feedback, text, address, headersOnly }: ReportAction): null {
  const policy = envelopePolicy(world, 'sieve_report_from');
  const from = policy === null ? null : { address: policy, name: '' };
  const owner = { address: 'postmaster@example.com', name: 'Postmaster' };
  const words = { feedback, text, to: address, headersOnly, from };
  send(world, abuseReport(words, originalOf(world), owner, stamp(world)));
  return null;
}

/** The address that a setting about senders means; null where it says nothing. */
function envelopePolicy(world: World, setting: string): string | null {
  const policy = world.configuration.get(setting);
  switch (policy) {
    case undefined:
      return null;
    case 'sender':
      return fromOctets(world.envelope.from);
    case 'recipient':
      return fromOctets(world.envelope.to);
    case 'orig_recipient':
      return fromOctets(world.envelope.originalTo ?? world.envelope.to);
    case 'user_email':
      return world.owner;
    case 'postmaster':
      return 'postmaster@example.com';
    default:
      return policy.replace(/^<(.*)>$/, '$1');
  }
}

function vacation(world: World, action: VacationAction): string | null {
  const original = originalOf(world);
  const { configuration } = world;
  const useOriginal = configuration.isOn('sieve_vacation_use_original_recipient');
  const recipient = fromOctets((useOriginal ? world.envelope.originalTo : null) ?? world.envelope.to);
  const own = [world.owner, recipient, fromOctets(world.envelope.to), ...action.addresses];
  const why = whyNoReply(original, own);
  if (why !== null) {
    world.log(`no vacation reply: ${why}`);
    return null;
  }
  const named = (address: string, name: string | null): Mailbox => ({ address, name: name ?? '' });
  const words = {
    reason: action.reason,
    mime: action.mime,
    subject: action.subject,
    from: action.from === null ? null : named(action.from.address, action.from.name),
  };
  const sender = configuration.isOn('sieve_vacation_send_from_recipient') ? recipient : '';
  const reply = vacationReply(words, original, named(recipient, null), sender, stamp(world));
  send(world, reply);
  if (action.fcc === null) return null;
  return store(world, { ...action.fcc, content: [...reply.message.chunks()] });
}

function notify(world: World, { method, importance, message, fcc }: NotifyAction): string | null {
  if (!('mailto' in method)) {
    world.log(`not notified: ${'uri' in method ? method.uri : method.name}`);
    return null;
  }
  const { mailto, from } = method;
  const words = {
    ...mailto,
    subject: message ?? mailto.subject,
    importance,
    from: from === null ? null : { address: from.address, name: from.name ?? '' },
  };
  const owner = { address: fromOctets(world.envelope.to), name: '' };
  const made = notification(words, originalOf(world), owner, stamp(world));
  send(world, made);
  return fcc === null ? null : store(world, { ...fcc, content: [...made.message.chunks()] });
}

function bytesOf(world: World, content: Content): Uint8Array {
  return content === null ? world.source : Buffer.concat(content);
}

function forwarded(world: World, content: Content): Uint8Array {
  return Buffer.concat(redirected([bytesOf(world, content)], world.owner));
}

function store(world: World, { mailbox, flags, content, create }: Placement): string | null {
  const name = canonical(mailbox ?? INBOX);
  const failed = `failed to store into mailbox '${name}'`;
  if (name.split('.').some((level) => level === '') || name.includes('/')) {
    return `${failed}: invalid mailbox name`;
  }
  if (create || name === INBOX) world.create(name);
  const messages = world.mailboxes.get(name);
  if (messages === undefined) return `${failed}: it does not exist`;
  messages.push({ bytes: bytesOf(world, content), flags });
  return null;
}
