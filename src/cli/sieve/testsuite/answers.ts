/** Messages that come of what a script decided, in the world of a test: answers, rejections, reports, notifications. */

import { eachField } from '../../../mime/header.ts';
import type { Envelope, OutgoingMessage } from '../../../outgoing/envelope.ts';
import type { Mailbox, Stamp } from '../../../outgoing/forms/draft.ts';
import { notification } from '../../../outgoing/forms/notification.ts';
import { type Original, textOf } from '../../../outgoing/forms/original.ts';
import { rejectionDsn, rejectionMdn } from '../../../outgoing/forms/reject.ts';
import { abuseReport } from '../../../outgoing/forms/report.ts';
import { vacationReply } from '../../../outgoing/forms/vacation.ts';
import { isAutomatic, isOneOf, whyNoReply, whyNoReport } from '../../../outgoing/responder.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import type {
  Content,
  NotifyAction,
  RejectAction,
  ReportAction,
  VacationAction,
} from '../../../sieve/result.ts';
import type { World } from './world.ts';

const POSTMASTER = 'postmaster@example.com';

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

/** Sends it and gives its bytes. */
function send(
  world: World,
  { envelope, message }: { envelope: Envelope; message: OutgoingMessage },
  sender = envelope.sender,
): Content {
  const bytes = Buffer.concat([...message.chunks()]);
  for (const { address } of envelope.recipients) world.send(sender, address, bytes);
  return [bytes];
}

function mailbox(address: string, name: string | null = null): Mailbox {
  return { address, name: name ?? '' };
}

/** The address that a setting about senders means; null where it says nothing. */
export function senderBy(world: World, setting: string): string | null {
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
      return world.userEmail ?? fromOctets(world.envelope.to);
    case 'postmaster':
      return POSTMASTER;
    default:
      return policy.replace(/^<(.*)>$/, '$1');
  }
}

export function reject(world: World, { early, reason }: RejectAction): void {
  const original = originalOf(world);
  const why = whyNoReport(original);
  if (why !== null) return world.log(`not rejected: ${why}`);
  const form = early ? rejectionDsn : rejectionMdn;
  send(world, form({ original, reason, postmaster: POSTMASTER, stamp: stamp(world) }));
}

export function report(world: World, { feedback, text, address, headersOnly }: ReportAction): void {
  const policy = senderBy(world, 'sieve_report_from');
  const words = { feedback, text, to: address, headersOnly, from: policy === null ? null : mailbox(policy) };
  send(world, abuseReport(words, originalOf(world), mailbox(POSTMASTER, 'Postmaster'), stamp(world)));
}

/** The reply that was sent, or null if none was. */
export function vacation(world: World, action: VacationAction): Content {
  const original = originalOf(world);
  const { configuration, envelope } = world;
  const useOriginal = configuration.isOn('sieve_vacation_use_original_recipient');
  const final = fromOctets(envelope.to);
  const recipient = useOriginal ? fromOctets(envelope.originalTo ?? envelope.to) : final;
  const own = [world.owner, recipient, final, ...action.addresses];
  const unchecked = configuration.get('sieve_vacation_check_recipient') === 'no';
  const why = whyNoReply(original, unchecked ? [...own, ...recipientsOf(world)] : own);
  if (why !== null) {
    world.log(`no vacation reply: ${why}`);
    return null;
  }
  const words = {
    reason: action.reason,
    mime: action.mime,
    subject: action.subject ?? defaultSubject(world, original),
    from: action.from === null ? null : mailbox(action.from.address, action.from.name),
  };
  const sender = configuration.isOn('sieve_vacation_send_from_recipient') ? recipient : '';
  const addressed = recipientsOf(world).find((address) => isOneOf(address, own));
  const owner = mailbox(addressed ?? world.userEmail ?? recipient);
  return send(world, vacationReply(words, original, owner, sender, stamp(world)));
}

function recipientsOf({ message }: World): readonly string[] {
  return ['to', 'cc', 'bcc'].flatMap((name) => message.fields(name).addresses('all').items.map(fromOctets));
}

/** What the settings say about replies without a subject of their own; null where they say nothing. */
function defaultSubject({ configuration }: World, original: Original): string | null {
  const subject = textOf(original, 'Subject');
  if (subject === null) return configuration.get('sieve_vacation_default_subject') || null;
  const template = configuration.get('sieve_vacation_default_subject_template') ?? '';
  return template === '' ? null : template.replaceAll('%{subject}', subject);
}

/** The notification that was sent, or null if none was. */
export function notify(world: World, { method, importance, message }: NotifyAction): Content {
  if (!('mailto' in method)) {
    world.log(`not notified: ${'uri' in method ? method.uri : method.name}`);
    return null;
  }
  const original = originalOf(world);
  if (isAutomatic(original)) {
    world.log('not notified: the message was sent by a program');
    return null;
  }
  const { mailto, from } = method;
  const words = {
    ...mailto,
    subject: message ?? mailto.subject,
    importance,
    from: from === null ? null : mailbox(from.address, from.name),
  };
  const owner = mailbox(world.userEmail ?? fromOctets(world.envelope.to));
  const made = notification(words, original, owner, stamp(world));
  const policy = senderBy(world, 'sieve_notify_mailto_envelope_from');
  return send(
    world,
    made,
    original.sender === '' ? '' : policy ?? (from === null ? POSTMASTER : made.envelope.sender),
  );
}
