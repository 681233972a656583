/** The protocols as transcripts: what each dialogue says, and what it understands. */

import { describe, expect, test } from 'bun:test';
import { ImapDialogue } from '../../../src/cli/imtest/imap.ts';
import { Pop3Dialogue } from '../../../src/cli/imtest/pop3.ts';
import { readTokens, SieveDialogue } from '../../../src/cli/imtest/sieve.ts';
import { SmtpDialogue } from '../../../src/cli/imtest/smtp.ts';
import { OMITTED } from '../../../src/cli/imtest/talk.ts';
import { Scripted } from './scripted.ts';

describe('IMAP', () => {
  test('capabilities in the greeting; an exchange with untagged lines in between', async () => {
    const talk = new Scripted(`
      S: * OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN auth=Digest-MD5 LOGINDISABLED] ready
      C: A01 AUTHENTICATE DIGEST-MD5
      S: + bm9uY2U=
      C: cmVzcA==
      S: * NOTICE something else
      S: A01 OK Success
    `);
    const imap = new ImapDialogue(talk);
    expect(await imap.greeting()).toEqual({ mechanisms: ['PLAIN', 'DIGEST-MD5'], starttls: true, own: [] });
    expect(imap.takesInitial('PLAIN', 40)).toBe(true);
    expect(imap.takesInitial('PLAIN', 20_000)).toBe(false);
    imap.authenticate('DIGEST-MD5', null);
    expect(await imap.reply()).toEqual({ kind: 'challenge', base64: 'bm9uY2U=' });
    imap.respond('cmVzcA==');
    expect(await imap.reply()).toEqual({ kind: 'ok', base64: null });
    talk.over();
  });

  test('a greeting without capabilities is asked for them; no SASL-IR, no initial response', async () => {
    const talk = new Scripted(`
      S: * OK ready
      C: C01 CAPABILITY
      S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
      S: C01 OK done
      C: S01 STARTTLS
      S: S01 NO not today
    `);
    const imap = new ImapDialogue(talk);
    expect(await imap.greeting()).toEqual({ mechanisms: ['PLAIN'], starttls: false, own: ['login'] });
    expect(imap.takesInitial('PLAIN', 4)).toBe(false);
    expect(imap.startTls()).rejects.toThrow('refuses STARTTLS: NO not today');
  });

  test('an empty initial response is "=", and a password is not shown', () => {
    const talk = new Scripted('C: A01 AUTHENTICATE EXTERNAL =\nC: A01 AUTHENTICATE PLAIN AGEAYg==');
    const imap = new ImapDialogue(talk);
    imap.authenticate('EXTERNAL', '');
    imap.authenticate('PLAIN', 'AGEAYg==', OMITTED);
    expect(talk.shown.at(-1)).toBe('A01 AUTHENTICATE PLAIN <omitted>');
  });

  test('LOGIN sends the password as a literal; names are atoms or quoted', async () => {
    const talk = new Scripted(`
      C: L01 LOGIN "dja \\"ngo" {7}
      S: + go on
      C: p w"\\Ã¼
      S: L01 NO [AUTHENTICATIONFAILED] no
      C: L01 LOGIN d@a.org {1}
      S: L01 BAD no literals here
    `);
    const imap = new ImapDialogue(talk);
    expect(await imap.login('login', 'dja "ngo', 'p w"\\ü')).toEqual({
      kind: 'no',
      text: 'NO [AUTHENTICATIONFAILED] no',
    });
    expect(talk.shown).toContain(OMITTED);
    expect((await imap.login('login', 'd@a.org', 'x')).kind).toBe('no');
    expect(imap.login('login', 'd\r\nA02 DELETE x', 'x')).rejects.toThrow('names in ASCII');
    talk.over();
  });

  test('a server that does not want us, or has let us in already', () => {
    for (
      const [line, text] of [['* BYE full', 'refuses'], ['* PREAUTH hello', 'already'], ['+OK', 'refuses']]
    ) {
      expect(new ImapDialogue(new Scripted(`S: ${line}`)).greeting()).rejects.toThrow(text);
    }
  });
});

describe('POP3', () => {
  test('CAPA, SASL, APOP', async () => {
    const talk = new Scripted(`
      S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
      C: CAPA
      S: +OK list
      S: USER
      S: STLS
      S: SASL CRAM-MD5 plain
      S: .
      C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
      S: +OK maildrop has 1 message (369 octets)
    `);
    const pop3 = new Pop3Dialogue(talk);
    expect(await pop3.greeting()).toEqual({
      mechanisms: ['CRAM-MD5', 'PLAIN'],
      starttls: true,
      own: ['apop', 'user'],
    });
    // The example of RFC 1939 §7.
    expect((await pop3.login('apop', 'mrose', 'tanstaaf')).kind).toBe('ok');
    talk.over();
  });

  test('USER and PASS, refused at either; a server without CAPA', async () => {
    const talk = new Scripted(`
      S: +OK
      C: CAPA
      S: -ERR what
      C: USER a
      S: -ERR who
      C: USER a
      S: +OK
      C: PASS b c
      S: -ERR [AUTH] no
    `);
    const pop3 = new Pop3Dialogue(talk);
    expect(await pop3.greeting()).toEqual({ mechanisms: [], starttls: false, own: [] });
    expect(await pop3.login('user', 'a', 'b c')).toEqual({ kind: 'no', text: '-ERR who' });
    expect(await pop3.login('user', 'a', 'b c')).toEqual({ kind: 'no', text: '-ERR [AUTH] no' });
    expect(talk.shown.at(-1)).toBe('PASS <omitted>');
    expect(pop3.login('user', 'a\r\nDELE 1', 'b')).rejects.toThrow('control characters');
    talk.over();
  });

  test('an initial response that makes the line too long waits (RFC 5034 §4)', async () => {
    const pop3 = new Pop3Dialogue(new Scripted('S: + \nS: +\nS: +OK\nS: -ERR x'));
    expect(pop3.takesInitial('PLAIN', 242)).toBe(true);
    expect(pop3.takesInitial('PLAIN', 243)).toBe(false);
    expect(await pop3.reply()).toEqual({ kind: 'challenge', base64: '' });
    expect(await pop3.reply()).toEqual({ kind: 'challenge', base64: '' });
    expect((await pop3.reply()).kind).toBe('ok');
    expect((await pop3.reply()).kind).toBe('no');
  });
});

describe('SMTP and LMTP', () => {
  test('extensions, the exchange, replies of several lines', async () => {
    const talk = new Scripted(`
      S: 220-mx.example.org
      S: 220 ESMTP
      C: EHLO smtptest
      S: 250-mx.example.org
      S: 250-STARTTLS
      S: 250-auth PLAIN Login
      S: 250 SMTPUTF8
      C: AUTH PLAIN =
      S: 334 YWI=
      C: Yw==
      S: 535-5.7.8 no
      S: 535 really
    `);
    const smtp = new SmtpDialogue(talk, 'EHLO smtptest');
    expect(await smtp.greeting()).toEqual({ mechanisms: ['PLAIN', 'LOGIN'], starttls: true, own: [] });
    smtp.authenticate('PLAIN', '');
    expect(await smtp.reply()).toEqual({ kind: 'challenge', base64: 'YWI=' });
    smtp.respond('Yw==');
    expect(await smtp.reply()).toEqual({ kind: 'no', text: '535 5.7.8 no really' });
    expect(smtp.takesInitial('PLAIN', 499)).toBe(true);
    expect(smtp.takesInitial('PLAIN', 500)).toBe(false);
    talk.over();
  });

  test('a server that refuses us, or speaks something else', () => {
    const lmtp = (lines: string) => new SmtpDialogue(new Scripted(lines), 'LHLO lmtptest').greeting();
    expect(lmtp('S: 554 5.3.2 go away')).rejects.toThrow('refuses the connection: 554 5.3.2 go away');
    expect(lmtp('S: 220 hi\nC: LHLO lmtptest\nS: 500 what')).rejects.toThrow('refuses LHLO: 500 what');
    expect(lmtp('S: * OK IMAP4rev1')).rejects.toThrow('does not speak SMTP');
  });
});

describe('ManageSieve', () => {
  test('capabilities as strings and literals; SASL data with success', async () => {
    const long = 'A'.repeat(1028);
    const talk = new Scripted(`
      S: "IMPLEMENTATION" "a \\"b\\""
      S: {4}
      S: SASL "PLAIN SCRAM-SHA-256"
      S: "STARTTLS"
      S: OK "ready"
      C: AUTHENTICATE "SCRAM-SHA-256" "biws"
      S: {8}
      S: cj1hYmNk
      C: {1028+}
      C: ${long}
      S: OK (SASL "dj1hYg==") "done"
    `);
    const sieve = new SieveDialogue(talk);
    expect(await sieve.greeting()).toEqual({
      mechanisms: ['PLAIN', 'SCRAM-SHA-256'],
      starttls: true,
      own: [],
    });
    sieve.authenticate('SCRAM-SHA-256', 'biws');
    expect(await sieve.reply()).toEqual({ kind: 'challenge', base64: 'cj1hYmNk' });
    sieve.respond(long);
    expect(await sieve.reply()).toEqual({ kind: 'ok', base64: 'dj1hYg==' });
    talk.over();
  });

  test('refusals: of the connection, of TLS, of a login; a string without end', async () => {
    const sieve = (lines: string) => new SieveDialogue(new Scripted(lines));
    expect(sieve('S: BYE (REFERRAL "sieve://b") "not here"').greeting()).rejects.toThrow('not here');
    expect(sieve('C: STARTTLS\nS: NO "no"').startTls()).rejects.toThrow('refuses STARTTLS: NO no');
    expect(await sieve('S: NO (AUTH-TOO-WEAK) "too weak"').reply()).toEqual({
      kind: 'no',
      text: 'NO ( AUTH-TOO-WEAK ) too weak',
    });
    expect(sieve('S: {4294967295}').reply()).rejects.toThrow('a string of 4294967295 bytes');
  });

  test('words of a line', () => {
    expect(readTokens('ok (sasl "a\\"b\\\\") {nonsense "')).toEqual([
      { string: false, text: 'OK' },
      { string: false, text: '(' },
      { string: false, text: 'SASL' },
      { string: true, text: 'a"b\\' },
      { string: false, text: ')' },
      { string: false, text: '{NONSENSE' },
    ]);
  });

  test('an empty response is an empty string', () => {
    const talk = new Scripted('C: AUTHENTICATE "EXTERNAL" ""\nC: ""\nC: "*"');
    const sieve = new SieveDialogue(talk);
    sieve.authenticate('EXTERNAL', '');
    sieve.respond('');
    sieve.cancel();
    talk.over();
  });
});

test('the commands that end a session', () => {
  const nobody = new Scripted('');
  expect(new ImapDialogue(nobody).isLogout('a1 logout')).toBe(true);
  expect(new ImapDialogue(nobody).isLogout('LOGOUT')).toBe(false);
  expect(new Pop3Dialogue(nobody).isLogout('quit')).toBe(true);
  expect(new SmtpDialogue(nobody, 'EHLO x').isLogout('QUIT')).toBe(true);
  expect(new SieveDialogue(nobody).isLogout('Logout')).toBe(true);
});
