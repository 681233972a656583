/** RFC 5293, and what of a header stays whatever a script says. */

import { expect, test } from 'bun:test';
import { run } from '../../../src/sieve/machine.ts';
import { Mail } from '../../../src/sieve/mail/mail.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../src/sieve/settings.ts';
import { ENVELOPE, findings, HOST, message, program } from '../harness.ts';

const MAIL = message(
  'Received: from a by b',
  'Auto-Submitted: no',
  'X-A: 1',
  'X-A: 2',
  'X-A: 3',
  'Subject: Frop',
  '',
  'Body',
);

/** The header after a script, and the error it ended with. */
function edited(
  script: string,
  settings: Settings = DEFAULT_SETTINGS,
): { header: string[]; error: string | null } {
  const mail = new Mail(MAIL);
  const outcome = run(program(`require ["editheader", "regex"]; ${script}`), {
    message: mail,
    envelope: ENVELOPE,
    host: HOST,
    settings,
  });
  if (outcome instanceof Promise) throw new Error('the script waits');
  const [header = '', body] = Buffer.from(mail.bytes()).toString().split('\r\n\r\n');
  expect(body).toBe('Body');
  return { header: header.split('\r\n'), error: outcome.error?.text ?? null };
}

const ALL = ['Received: from a by b', 'Auto-Submitted: no', 'X-A: 1', 'X-A: 2', 'X-A: 3', 'Subject: Frop'];

test('fields are added in front, or behind all others with :last', () => {
  expect(edited('addheader "X-B" "b"; addheader :last "X-C" "c";').header).toEqual([
    'X-B: b',
    ...ALL,
    'X-C: c',
  ]);
});

test.each([
  ['deleteheader "x-a";', []],
  ['deleteheader :index 1 "X-A";', ['2', '3']],
  ['deleteheader :index 1 :last "X-A";', ['1', '2']],
  ['deleteheader :index 4 "X-A";', ['1', '2', '3']],
  ['deleteheader :contains "X-A" ["2", "3"];', ['1']],
  ['deleteheader :regex "X-A" "^[13]$";', ['2']],
  ['deleteheader :index 2 :is "X-A" "1";', ['1', '2', '3']],
  ['deleteheader "X-A" "2";', ['1', '3']],
])('%s', (script, left) => {
  expect(edited(script).header.filter((line) => line.startsWith('X-A')).map((line) => line.slice(5))).toEqual(
    left,
  );
});

test('where mail came from, and that a machine sent it, cannot be deleted (FIELD 58)', () => {
  expect(edited('deleteheader "Received"; deleteheader "auto-submitted"; deleteheader "subject";').header)
    .toEqual(ALL.slice(0, 5));
});

test('a value brings no field about (FIELD 58)', () => {
  expect(edited('addheader "X-B" "a\r\nBcc: me@example.com";').header[0]).toBe('X-B: a Bcc: me@example.com');
  expect(edited('addheader "X-B" text:\nby a (b)\n c\n.\n;').header[0]).toBe('X-B: by a (b) c');
});

test('protected fields are left alone; Subject cannot be protected', () => {
  const fields = new Set(['subject', 'x-a', 'x-b']);
  const settings = {
    ...DEFAULT_SETTINGS,
    editheader: { forbidAdd: fields, forbidDelete: fields, maxSize: 10 },
  };
  expect(edited('addheader "X-B" "b"; addheader "Subject" "s"; deleteheader "X-A";', settings)).toEqual({
    header: ['Subject: s', ...ALL],
    error: null,
  });
  expect(findings('require "editheader"; addheader "X-Long" "12345";', { settings })).toEqual([
    "1:42 addheader: the field 'X-Long' is too large: 11 octets, expected 10 at most",
  ]);
});

test('names and values are checked', () => {
  expect(
    findings(
      'require ["editheader", "encoded-character"];\naddheader "X y" "b";\ndeleteheader "X:";\naddheader "X" "a${hex:00}";',
    ),
  )
    .toEqual([
      `2:11 the addheader command: the field name "X y" is invalid: expected printable ASCII without blanks and ':'`,
      `3:14 the deleteheader command: the field name "X:" is invalid: expected printable ASCII without blanks and ':'`,
      '4:15 the addheader command: the value "a?" is invalid: it has control characters',
    ]);
  expect(findings('require "editheader"; deleteheader :last "X";')[0]).toContain('without the :index tag');
});

test('an action takes the message as it was then; the implicit keep as it is in the end', () => {
  const outcome = run(
    program(`require ["editheader", "fileinto", "copy"];
      fileinto :copy "plain"; addheader "X-B" "1"; fileinto :copy "one"; redirect :copy "a@example.com"; addheader "X-B" "2";`),
    { message: new Mail(MAIL), envelope: ENVELOPE, host: HOST },
  );
  if (outcome instanceof Promise) throw new Error('the script waits');
  const added = outcome.result.decided().map((action) => {
    const content = 'placement' in action
      ? action.placement.content
      : 'content' in action
      ? action.content
      : null;
    return content === null ? null : Buffer.concat(content).toString().match(/^X-B.*$/gm);
  });
  expect(added).toEqual([null, ['X-B: 1'], ['X-B: 1'], ['X-B: 2', 'X-B: 1']]);
});
