/**
 * Whole sessions of mutated commands in pieces of any size: no bug of ours comes to light, the session answers or ends,
 * and the mailbox is as usable as before.
 */

import { expect, test } from 'bun:test';
import { type Log, silentLog } from '../../src/telemetry/log.ts';
import { Random } from '../harness/random.ts';
import { ModelClient } from '../imap/client.ts';
import { ImapServer } from '../imap/imapserver.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const SESSIONS = 25;
const COMMANDS = 30;

const SAMPLES = [
  'CAPABILITY',
  'SELECT INBOX (CONDSTORE)',
  'EXAMINE "INBOX"',
  'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("*" %) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))',
  'LSUB "" *',
  'STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ DELETED-STORAGE)',
  'CREATE "INBOX/x&AOQ-y" (USE (\\Sent))',
  'RENAME INBOX/a INBOX/b/c',
  'DELETE INBOX/a',
  'SUBSCRIBE INBOX/a',
  'APPEND INBOX (\\Seen $Junk) "17-Jul-1996 02:44:25 -0700" {12+}\r\nSubject: x\r\n',
  'APPEND INBOX {9}\r\nBody: x\r\n',
  'UID FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[1.2.HEADER.FIELDS (From To)]<0.10> BINARY.SIZE[1])',
  'FETCH 1:* (BODY[] MODSEQ) (CHANGEDSINCE 1)',
  'FETCH $ FULL',
  'STORE 1:* (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted Work)',
  'UID STORE 1:3,5 FLAGS (\\Flagged)',
  'SEARCH RETURN (MIN MAX COUNT SAVE) CHARSET UTF-8 OR (FROM x NOT SEEN) LARGER 10 SINCE 1-Feb-1994 TEXT {1+}\r\nx',
  'UID SEARCH MODSEQ 1 KEYWORD Work UID 1:*',
  'COPY 1:2 INBOX',
  'UID MOVE 1 INBOX',
  'EXPUNGE',
  'UID EXPUNGE 1:*',
  'ENABLE CONDSTORE IMAP4rev2',
  'IDLE\r\nDONE',
  'ID ("name" "x" "version" NIL)',
  'GETQUOTAROOT INBOX',
  'SETACL INBOX eve +lrs',
  'LISTRIGHTS INBOX eve',
  'NAMESPACE',
  'AUTHENTICATE PLAIN\r\n*',
  'CLOSE',
  'UNSELECT',
  'NOOP',
];

const SPLICES = [
  '(',
  ')',
  '"',
  '\\',
  '{3+}\r\n',
  '{99999999999}',
  '\0',
  '\r',
  '\n',
  '\xff',
  '*',
  '%',
  ' ',
  '$',
  '<0.0>',
  '[]',
  'NIL',
  '4294967296',
];

function mutate(random: Random, text: string): string {
  let bytes = text;
  for (let i = random.below(4); i > 0; i--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(4)) {
      case 0:
        bytes = bytes.slice(0, at) + random.pick(SPLICES) + bytes.slice(at);
        break;
      case 1:
        bytes = bytes.slice(0, at) + bytes.slice(at + 1 + random.below(5));
        break;
      case 2:
        bytes = bytes.slice(0, at) + String.fromCharCode(random.below(256)) + bytes.slice(at + 1);
        break;
      default:
        bytes = bytes.slice(0, at) + bytes.slice(random.below(bytes.length + 1));
    }
  }
  return bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

for (const seed of SEEDS) {
  test(`mutated sessions bring no bug to light (seed ${seed})`, async () => {
    const bugs: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (event, fields) => void bugs.push(`${event} ${String(fields?.['error'])}`),
      child: () => log,
    };
    const server = await ImapServer.open({}, log);
    try {
      const owner = await server.session('django');
      await server.append(owner, '', 'Subject: x\r\n\r\ny\r\n');
      const random = new Random(seed);
      let answers = 0;
      for (let i = 0; i < SESSIONS; i++) {
        const connection = server.connect();
        connection.send('a LOGIN django secret\r\nb SELECT INBOX\r\n');
        let stream = '';
        for (let n = 0; n < COMMANDS; n++) stream += `t${n} ${mutate(random, random.pick(SAMPLES))}\r\n`;
        for (let at = 0; at < stream.length && !connection.closed;) {
          const length = 1 + random.below(random.oneIn(3) ? 8 : 400);
          connection.send(stream.slice(at, at + length));
          at += length;
          if (random.oneIn(2)) await turn();
        }
        // Until nothing more is answered; some sessions are left in the middle of a literal or of IDLE. A change of the
        // store's own tells that those before it are done.
        for (let quiet = 0, seen = 0; quiet < 4 && !connection.closed; quiet++) {
          await owner.subscribe({ owner: 'django', path: 'quiet' }, quiet % 2 === 0);
          await turn();
          if (connection.unread.length > seen) quiet = 0;
          seen = connection.unread.length;
        }
        answers += connection.unread.match(/^t\d+ (?:OK|NO|BAD)/gm)?.length ?? 0;
        connection.hangUp();
      }
      const client = new ModelClient(server.connect());
      await client.greeting();
      await client.command('LOGIN django secret');
      expect((await client.command('SELECT INBOX')).result).toMatch(/^OK/);
      expect((await client.command('UID FETCH 1:* (UID FLAGS ENVELOPE)')).result).toMatch(/^OK/);
      expect(bugs).toEqual([]);
      expect(answers).toBeGreaterThan((SESSIONS * COMMANDS) / 2);
    } finally {
      await server.close();
    }
  });
}
