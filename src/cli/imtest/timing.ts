/** The timing test of imtest: ten times a new mailbox with messages from 200 bytes to 2 MB, deleted again. */

import { userError } from '../../errors.ts';
import type { Talk } from './talk.ts';

const ROUNDS = 10;
const SIZES = [200, 2_000, 20_000, 200_000, 2_000_000];
const HEADER = 'From: imtest@localhost\r\nTo: imtest@localhost\r\nSubject: a message of the timing test\r\n' +
  'Date: Mon, 5 Jan 2026 10:00:00 +0000\r\n\r\n';

/** @returns seconds. @throws MailError 'cannot' where the server refuses one of the commands */
export async function timeAppends(talk: Talk): Promise<number> {
  const folder = `"${await personalPrefix(talk)}imtest-${process.pid}"`;
  const begun = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    await command(talk, `T01 CREATE ${folder}`);
    for (const size of SIZES) {
      const body = `${'0123456789'.repeat(size / 10)}\r\n`;
      await command(talk, `T02 APPEND ${folder} (\\Seen) {${HEADER.length + body.length}}`, HEADER + body);
    }
    await command(talk, `T03 DELETE ${folder}`);
  }
  return (performance.now() - begun) / 1000;
}

/** What names of mailboxes of one's own begin with (RFC 2342). */
async function personalPrefix(talk: Talk): Promise<string> {
  let found: string | undefined;
  await command(talk, 'T00 NAMESPACE', undefined, (line) => {
    found = /^\* NAMESPACE \(\("([^"]*)"/i.exec(line)?.[1] ?? found;
  });
  if (found === undefined) throw userError('cannot', 'the server has no mailboxes of ours');
  return found;
}

/** One command with its literal, to its tagged answer. */
async function command(
  talk: Talk,
  line: string,
  literal?: string,
  look: (line: string) => void = () => {},
): Promise<void> {
  talk.send(line);
  for (;;) {
    const answer = await talk.receive();
    look(answer);
    if (literal !== undefined && answer.startsWith('+')) {
      talk.send(literal, `<${literal.length} bytes>`);
    } else if (answer.startsWith(line.slice(0, 4))) {
      if (/^\S+ OK\b/i.test(answer)) return;
      throw userError('cannot', `the server refuses ${line.split(' ')[1]}: ${answer}`);
    }
  }
}
