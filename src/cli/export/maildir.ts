/**
 * Maildir++: a message is a file, its flags are letters behind its name, folders below INBOX are `.Name.Sub`. Names are in
 * modified UTF-7; a dot in a name, which would be a level, is written as `&AC4-`.
 */

import { closeSync, existsSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { userError } from '../../errors.ts';
import { encodeMutf7 } from '../../store/mutf7.ts';
import type { Mailbox, MailboxName, StoreSession } from '../../store/border.ts';
import { ANSWERED, DELETED, DRAFT, FLAGGED, SEEN } from '../../store/flags.ts';
import { eachMessage, type ExportedMessage } from './messages.ts';

/** Letters in the order Maildir wants them, which is that of the alphabet. */
const LETTERS: readonly (readonly [string, number])[] = [
  ['D', DRAFT],
  ['F', FLAGGED],
  ['R', ANSWERED],
  ['S', SEEN],
  ['T', DELETED],
];
/** Keywords are lower-case letters by the lines of dovecot-keywords. */
const KEYWORD_LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Flags below this bit are system flags; keywords follow (store/index/schema.ts). */
const FIRST_KEYWORD = 5;

/** Writes one mailbox; returns the number of its messages. */
export async function exportMaildir(session: StoreSession, name: MailboxName, root: string): Promise<number> {
  const folder = join(root, folderOf(name));
  if (existsSync(join(folder, 'cur'))) throw userError('alreadyexists', `${folder} is there already`);
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
  const list: string[] = [];
  const count = await eachMessage(
    session,
    name,
    (mailbox) => {
      for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(folder, sub), { recursive: true, mode: 0o700 });
      if (name.path !== '') writeFileSync(join(folder, 'maildirfolder'), '', { mode: 0o600 });
      writeKeywords(folder, mailbox);
      list.push(`3 V${mailbox.snapshot.uidvalidity} N${mailbox.snapshot.uidnext} G${guidOf(mailbox)}`);
    },
    (message) => {
      const base = writeMessage(folder, message, host);
      list.push(`${message.row[0]} :${base}`);
    },
  );
  writeFileSync(join(folder, 'dovecot-uidlist'), `${list.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  return count;
}

/** '' for the INBOX. */
function folderOf({ path }: MailboxName): string {
  if (path === '') return '';
  return path.split('/').map((part) => `.${encodeMutf7(part).replaceAll('.', '&AC4-')}`).join('');
}

function writeKeywords(folder: string, { keywords }: Mailbox): void {
  const lines = keywords.slice(0, KEYWORD_LETTERS.length).map((keyword, index) => `${index} ${keyword}\n`);
  if (lines.length > 0) writeFileSync(join(folder, 'dovecot-keywords'), lines.join(''), { mode: 0o600 });
}

/** Writes a message under its name with its flags. Returns the name without them. */
function writeMessage(folder: string, { row, pieces }: ExportedMessage, host: string): string {
  const [uid, lo, hi, , size, internaldate] = row;
  const base = `${Math.max(0, internaldate)}.U${uid}P${process.pid}.${host},S=${size}`;
  const path = join(folder, 'cur', `${base}:2,${letters(lo, hi)}`);
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (const piece of pieces()) for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
  } finally {
    closeSync(fd);
  }
  const when = Math.max(0, internaldate);
  utimesSync(path, when, when);
  return base;
}

function letters(lo: number, hi: number): string {
  let text = LETTERS.filter(([, bit]) => (lo & bit) !== 0).map(([letter]) => letter).join('');
  for (const [index, letter] of [...KEYWORD_LETTERS].entries()) {
    const bit = FIRST_KEYWORD + index;
    if (bit < 32 ? (lo >>> bit & 1) === 1 : (hi >>> (bit - 32) & 1) === 1) text += letter;
  }
  return text;
}

/** 128 bits that stay the mailbox's, in hexadecimal: of its object id. */
function guidOf({ mailboxid }: Mailbox): string {
  return new Bun.CryptoHasher('md5').update(mailboxid).digest('hex');
}
