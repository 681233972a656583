/** The test clients by name: imtest and its siblings. */

import type { Dialogue } from './dialogue.ts';
import { ImapDialogue } from './imap.ts';
import { Pop3Dialogue } from './pop3.ts';
import { SieveDialogue } from './sieve.ts';
import { SmtpDialogue } from './smtp.ts';
import type { Talk } from './talk.ts';

export interface Program {
  /** What its server is called. */
  readonly protocol: string;
  /** The service's name in DIGEST-MD5 and GSSAPI. */
  readonly service: string;
  readonly port: number;
  /** The port of TLS from the first byte; null where there is none. */
  readonly tlsPort: number | null;
  /** Logins of the protocol's own, for -m. */
  readonly own: readonly string[];
  /** Mail can be handed over without a login where the server trusts us. */
  readonly open?: true;
  dialogue(talk: Talk): Dialogue;
}

export const PROGRAMS = {
  imtest: {
    protocol: 'IMAP',
    service: 'imap',
    port: 143,
    tlsPort: 993,
    own: ['login'],
    dialogue: (talk) => new ImapDialogue(talk),
  },
  pop3test: {
    protocol: 'POP3',
    service: 'pop',
    port: 110,
    tlsPort: 995,
    own: ['apop', 'user'],
    dialogue: (talk) => new Pop3Dialogue(talk),
  },
  lmtptest: {
    protocol: 'LMTP',
    service: 'lmtp',
    port: 24,
    tlsPort: null,
    own: [],
    open: true,
    dialogue: (talk) => new SmtpDialogue(talk, 'LHLO lmtptest'),
  },
  smtptest: {
    protocol: 'SMTP',
    service: 'smtp',
    port: 25,
    tlsPort: 465,
    own: [],
    open: true,
    dialogue: (talk) => new SmtpDialogue(talk, 'EHLO smtptest'),
  },
  sivtest: {
    protocol: 'ManageSieve',
    service: 'sieve',
    port: 4190,
    tlsPort: null,
    own: [],
    dialogue: (talk) => new SieveDialogue(talk),
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;
