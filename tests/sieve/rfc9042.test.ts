/** The examples of RFC 9042, by section. What the store makes of them: `delivery/answers.test.ts`. */

import { expect, test } from 'bun:test';
import { decide, findings, MESSAGE_A, MESSAGE_B } from './harness.ts';

const ID = 'F6352ae03-b7f5-463c-896f-d8b48ee3';

test('§4: into a mailbox by its id', () => {
  const script = `require "fileinto"; require "mailboxid";
    if header :contains ["from"] "coyote" { fileinto :mailboxid "${ID}" "INBOX.harassment"; }`;
  expect(decide(script, MESSAGE_A)).toMatchObject([
    { kind: 'fileinto', placement: { mailbox: 'INBOX.harassment', mailboxId: ID } },
  ]);
  expect(decide(script, MESSAGE_B)).toMatchObject([{ kind: 'keep', implicit: true }]);
});

test('§4.1: one that is made has an id of its own', () => {
  const script = `require "fileinto"; require "mailboxid"; require "mailbox";
    fileinto :mailboxid "Fnosuch" :create "INBOX.no-such-folder";`;
  expect(decide(script, MESSAGE_A)).toMatchObject([
    { placement: { mailbox: 'INBOX.no-such-folder', mailboxId: 'Fnosuch', create: true } },
  ]);
});

test('§4.2, §5: an id and a special use are an error', () => {
  const needed = 'require ["fileinto", "mailboxid", "special-use", "enotify", "fcc"];';
  for (
    const command of [
      'fileinto :mailboxid "F1" :specialuse "\\\\Junk" "a"',
      'notify :fcc "a" :mailboxid "F1" :specialuse "\\\\Sent" "mailto:a@example.com"',
    ]
  ) {
    expect(findings(`${needed} ${command};`)[0]).toContain('exclude each other');
  }
});

test('§5: a copy into a mailbox by its id', () => {
  const script = `require ["enotify", "fcc", "mailboxid"];
    notify :fcc "INBOX.Sent" :mailboxid "${ID}" :message "You got mail!" "mailto:ken@example.com";`;
  expect(decide(script, MESSAGE_A)[0]).toMatchObject({ fcc: { mailbox: 'INBOX.Sent', mailboxId: ID } });
});

test('§6, §7: whether there is a mailbox of an id, also of one that a variable holds', () => {
  const script = (id: string) =>
    `require ["fileinto", "variables"]; require "mailboxid";
    set "id" "${ID}";
    if header :contains ["from"] "coyote" {
      if mailboxidexists "${id}" {
        fileinto :mailboxid "${id}" "INBOX.name.will.not.be.used";
      } else {
        fileinto "INBOX.harassment";
      }
    }`;
  const there = { host: { mailboxIdExists: (id: string) => id === ID } };
  for (const id of [ID, '${id}']) {
    expect(decide(script(id), MESSAGE_A, there)).toMatchObject([{ placement: { mailboxId: ID } }]);
    expect(decide(script(id), MESSAGE_A)).toMatchObject([
      { placement: { mailbox: 'INBOX.harassment', mailboxId: null } },
    ]);
  }
});
