/**
 * A notification as Cyrus's programs hand it to notifyd, in one datagram: method, class, priority, user, mailbox, the number of
 * options, the options and the message, each ended by NUL, and perhaps the name of a file behind them.
 */

import { limitError, syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { sendDatagram } from '../../net/datagram.ts';

export interface Notification {
  /** '' for the one that notifyd is configured to take. */
  readonly method: string;
  /** `MAIL`, `SIEVE`, or what a program calls it. */
  readonly class: string;
  /** `normal`, `high` …, or ''. */
  readonly priority: string;
  readonly user: string;
  readonly mailbox: string;
  /** What the method wants beside: of mailto, addresses. */
  readonly options: readonly string[];
  readonly message: string;
  /** Where the message lies, or ''. */
  readonly file: string;
}

const utf8 = new TextDecoder('utf-8');

/** @throws MailError 'badsyntax' for what is no notification */
export function decodeNotification(bytes: Buffer): Notification {
  if (bytes.length > limits.notify_datagram.value) {
    throw syntaxError(`it has more than ${limits.notify_datagram.value} bytes`);
  }
  // The last NUL may be missing, as Cyrus itself leaves it to the receiver to write one.
  const fields = utf8.decode(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes).split('\0');
  const [method = '', className, priority = '', user = '', mailbox = '', count, ...rest] = fields;
  if (count === undefined || className === undefined) throw syntaxError('fields are missing');
  if (!/^[0-9]{1,4}$/.test(count)) throw syntaxError('the number of options is none');
  const options = Number(count);
  if (options > limits.notify_options.value) {
    throw syntaxError(`it has more than ${limits.notify_options.value} options`);
  }
  const message = rest[options];
  if (message === undefined) throw syntaxError('options or the message are missing');
  if (rest.length > options + 2) throw syntaxError('something follows that does not belong to it');
  return {
    method,
    class: className,
    priority,
    user,
    mailbox,
    options: rest.slice(0, options),
    message,
    file: rest[options + 1] ?? '',
  };
}

/** The datagram. A message that is too long is cut; NUL ends everything and is left out. @throws MailError 'toobig' */
export function encodeNotification(notification: Notification): Buffer {
  const { method, class: className, priority, user, mailbox, options, message, file } = notification;
  const head = fieldsOf([method, className, priority, user, mailbox, String(options.length), ...options]);
  const tail = file === '' ? Buffer.alloc(0) : fieldsOf([file]);
  const room = limits.notify_datagram.value - head.length - tail.length - 1;
  if (room < 0) throw limitError('the notification is too long', 'toobig');
  return Buffer.concat([
    head,
    cut(Buffer.from(message.replaceAll('\0', ''), 'utf8'), room),
    Buffer.from([0]),
    tail,
  ]);
}

/** Hands a notification to notifyd. @throws MailError 'unavailable' where there is none, 'toobig' */
export function sendNotification(socket: string, notification: Notification): void {
  sendDatagram(socket, encodeNotification(notification));
}

function fieldsOf(fields: readonly string[]): Buffer {
  return Buffer.from(fields.map((field) => `${field.replaceAll('\0', '')}\0`).join(''), 'utf8');
}

/** The first bytes of UTF-8, and no half of a character. */
function cut(bytes: Buffer, most: number): Buffer {
  let end = Math.min(bytes.length, most);
  while (end < bytes.length && end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
