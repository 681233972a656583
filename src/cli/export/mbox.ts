/**
 * mboxrd: messages one after the other behind a `From ` line; lines in them that begin with `From ` after any number of `>`
 * get one more, which a reader takes away again. Flags stand in Status and X-Status, as mail programs keep them there.
 */

import { closeSync, existsSync, mkdirSync, openSync, utimesSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userError } from '../../errors.ts';
import type { MailboxName, StoreSession } from '../../store/border.ts';
import { ANSWERED, DELETED, DRAFT, FLAGGED, SEEN } from '../../store/flags.ts';
import { eachMessage, type ExportedMessage } from './messages.ts';

/** Writes one mailbox; returns the number of its messages. */
export async function exportMbox(session: StoreSession, name: MailboxName, root: string): Promise<number> {
  const file = join(root, fileOf(name));
  if (existsSync(file)) throw userError('alreadyexists', `${file} is there already`);
  let fd = -1;
  let newest = 0;
  try {
    return await eachMessage(
      session,
      name,
      () => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        fd = openSync(file, 'wx', 0o600);
      },
      (message) => {
        newest = Math.max(newest, message.row[5]);
        writeMessage(fd, message);
      },
    );
  } finally {
    if (fd >= 0) closeSync(fd);
    if (newest > 0) utimesSync(file, newest, newest);
  }
}

/** A folder can hold messages and folders, a file cannot: below a mailbox its folders stand in `Name.sbd`. */
function fileOf({ path }: MailboxName): string {
  if (path === '') return 'INBOX';
  const parts = path.split('/').map((part) =>
    part === '.' || part === '..' ? part.replaceAll('.', '_') : part
  );
  return parts.map((part, at) => at < parts.length - 1 ? `${part}.sbd` : part).join('/');
}

function writeMessage(fd: number, { row, pieces }: ExportedMessage): void {
  const [, flags, , , , internaldate] = row;
  const text = Buffer.concat([...pieces()].map((piece) => Buffer.from(piece))).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const header = end < 0 ? text : text.slice(0, end + 2);
  const body = end < 0 ? '' : text.slice(end + 2);
  const status = `Status: ${(flags & SEEN) !== 0 ? 'RO' : 'O'}\nX-Status: ${xStatus(flags)}\n`;
  const whole = `From MAILER-DAEMON ${asctime(internaldate)}\n` +
    quoted(unix(header.endsWith('\r\n') || header === '' ? header : `${header}\r\n`)) + status +
    quoted(unix(body === '' ? '\r\n' : body));
  writeWhole(fd, Buffer.from(whole.endsWith('\n') ? `${whole}\n` : `${whole}\n\n`, 'latin1'));
}

function xStatus(flags: number): string {
  return [['A', ANSWERED], ['D', DELETED], ['F', FLAGGED], ['T', DRAFT]]
    .filter(([, bit]) => (flags & (bit as number)) !== 0).map(([letter]) => letter).join('');
}

function unix(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function quoted(text: string): string {
  return text.replace(/^(>*From )/gm, '>$1');
}

/** The date of a From_ line, in UTC: `Thu Jan  1 00:00:00 1970`. */
function asctime(seconds: number): string {
  const date = new Date(Math.max(0, seconds) * 1000);
  const [day = '', number = '', month = '', year = '', time = ''] = date.toUTCString().replace(',', '').split(
    ' ',
  );
  return `${day} ${month} ${String(Number(number)).padStart(2)} ${time} ${year}`;
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
