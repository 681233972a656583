/** Errors as IMAP: the right word, the right code, and nothing on the line that could be something else. */

import { expect, test } from 'bun:test';
import { limitError, MailError, serverError, syntaxError, userError } from '../../src/errors.ts';
import { CodedError, refusal, renderRefusal, respText } from '../../src/imap/respond.ts';

test('who is to blame decides between NO and BAD', () => {
  expect(renderRefusal(refusal(syntaxError('expected a space')))).toBe('BAD Expected a space');
  expect(renderRefusal(refusal(userError('noperm', 'permission denied')))).toBe(
    'NO [NOPERM] Permission denied',
  );
  expect(renderRefusal(refusal(limitError('too large', 'toobig')))).toBe('NO [TOOBIG] Too large');
  // RFC 9051 §6.4.4: NO, although it is found while parsing.
  expect(renderRefusal(refusal(syntaxError('unknown charset', 'badcharset'))))
    .toBe('NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset');
  expect(renderRefusal(refusal(new CodedError(userError('nonexistent', 'gone'), 'TRYCREATE'))))
    .toBe('NO [TRYCREATE] Gone');
});

test('our own failures keep their details to themselves', () => {
  const secret = 'cannot open /var/spool/mailstore/d/user/django/3f';
  for (
    const error of [serverError(secret), serverError(secret, undefined, 'corruption'), new Error(secret)]
  ) {
    expect(renderRefusal(refusal(error))).toMatch(/^NO \[(?:UNAVAILABLE|CORRUPTION|SERVERBUG)\] /);
    expect(renderRefusal(refusal(error))).not.toContain('spool');
  }
});

test('a failed login says the same whatever failed', () => {
  const texts = ['no such user', 'wrong password'].map((text) =>
    renderRefusal(refusal(new MailError('user', 'authenticationfailed', text)))
  );
  expect(new Set(texts)).toEqual(new Set(['NO [AUTHENTICATIONFAILED] Authentication failed.']));
});

test('no text ends the line, starts a response code or is markup', () => {
  expect(respText("'x\r\n* BYE' is no name")).not.toMatch(/[\r\n]/);
  expect(respText('[ALERT] call us')).not.toStartWith('[');
  expect(respText('<script>alert(1)</script>')).not.toMatch(/[<>]/);
  expect(respText('\u00fc\0\u2028')).toBe('???');
  expect(respText('')).toBe('Failed');
  expect(respText('x'.repeat(5000)).length).toBeLessThanOrEqual(200);
});
