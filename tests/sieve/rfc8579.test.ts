/** The examples of RFC 8579, by section. What the store makes of them: `delivery/answers.test.ts`. */

import { expect, test } from 'bun:test';
import { DEFAULT_SETTINGS } from '../../src/sieve/settings.ts';
import { actions, decide, findings, MESSAGE_A } from './harness.ts';

function placed(script: string) {
  const [action] = decide(script, MESSAGE_A);
  return action?.kind === 'fileinto' ? action.placement : null;
}

test('§4.2: the archive, wherever it is', () => {
  expect(
    placed('require "fileinto"; require "special-use"; fileinto :specialuse "\\\\Archive" "INBOX/Archive";'),
  )
    .toMatchObject({ mailbox: 'INBOX/Archive', specialUse: '\\Archive', create: false });
});

test('§6, first example: junk', () => {
  expect(placed('require "fileinto"; require "special-use"; fileinto :specialuse "\\\\Junk" "Spam";'))
    .toMatchObject({ mailbox: 'Spam', specialUse: '\\Junk', create: false });
});

test('§6, second example: junk, for which a mailbox is made', () => {
  const script = `require "fileinto"; require "special-use"; require "mailbox";
    fileinto :specialuse "\\\\Junk" :create "Spam";`;
  expect(placed(script)).toMatchObject({ mailbox: 'Spam', specialUse: '\\Junk', create: true });
});

test('§6, third example: what is copied to junk goes to those who learn from it', () => {
  const script = `require "imapsieve"; require "special-use"; require "environment"; require "variables";
    if environment :matches "imap.mailbox" "*" { set "mailbox" "\${1}"; }
    if allof(
        environment "imap.cause" "COPY",
        specialuse_exists "\${mailbox}" "\\\\Junk") {
      redirect "spam-report@example.org";
    }`;
  const settings = { ...DEFAULT_SETTINGS, imapEvents: true };
  const copied = (mailbox: string, cause = 'COPY') =>
    actions(script, MESSAGE_A, {
      settings,
      compile: { settings },
      host: {
        environment: (item) => item === 'imap.mailbox' ? mailbox : item === 'imap.cause' ? cause : null,
        specialUseExists: (name, use) => name === 'Spam' && use === '\\Junk',
      },
    });
  expect(copied('Spam')).toEqual(['redirect spam-report@example.org']);
  expect(copied('Other')).toEqual(['implicit keep']);
  expect(copied('Spam', 'APPEND')).toEqual(['implicit keep']);
});

test('§4: an attribute that is none is told like a name that is none, also when a variable holds it', () => {
  expect(findings('require ["fileinto", "special-use"]; fileinto :specialuse "Junk" "Spam";')[0]).toContain(
    'no special use',
  );
  const later = `require ["fileinto", "special-use", "variables"]; set "u" "Junk";
    fileinto :specialuse "\${u}" "Spam";`;
  expect(() => decide(later, MESSAGE_A)).toThrow('no special use');
});
