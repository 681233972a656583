/** The examples of RFC 5233 (subaddress), RFC 3894 (copy) and RFC 5173 (body), by section. */

import { expect, test } from 'bun:test';
import { actions, ENVELOPE, message, MESSAGE_A } from './harness.ts';

test('RFC 5233 §4: the parts of an address', () => {
  const script = `require ["envelope", "subaddress", "fileinto"];
    # File all messages to postmaster into a single mailbox, ignoring the :detail part.
    if envelope :user "to" "postmaster" { fileinto "inbox.postmaster"; stop; }
    # File mailing list messages (subscribed as "ken+mta-filters").
    if envelope :detail "to" "mta-filters" { fileinto "inbox.ietf-mta-filters"; }
    # Redirect all mail sent to "ken+foo".
    if envelope :detail "to" "foo" { redirect "ken@example.net"; }`;
  const sent = (to: string, separators = '+') =>
    actions(script, MESSAGE_A, { envelope: { ...ENVELOPE, to }, separators });
  expect(sent('postmaster@example.com')).toEqual(['fileinto inbox.postmaster']);
  expect(sent('postmaster+foo@example.com')).toEqual(['fileinto inbox.postmaster']);
  expect(sent('ken+mta-filters@example.com')).toEqual(['fileinto inbox.ietf-mta-filters']);
  expect(sent('ken+foo@example.com')).toEqual(['redirect ken@example.net']);
  expect(sent('ken@example.com')).toEqual(['implicit keep']);
  expect(sent('ken#foo@example.com', '#')).toEqual(['redirect ken@example.net']);
});

test('RFC 5233 §4: no detail matches nothing, an empty one the empty string', () => {
  const script = 'require ["envelope", "subaddress"]; if envelope :detail "to" "" { discard; }';
  const sent = (to: string) => actions(script, MESSAGE_A, { envelope: { ...ENVELOPE, to } });
  expect(sent('ken+@example.com')).toEqual(['discard']);
  expect(sent('ken@example.com')).toEqual(['implicit keep']);
});

test('RFC 3894 §1: an explicit keep stands against a later discard', () => {
  const script = `require "fileinto"; fileinto "unfiltered"; keep;
    if header "Subject" "MAKE MONEY FAST!!!" { discard; }`;
  expect(actions(script, message('Subject: MAKE MONEY FAST!!!', '', ''))).toEqual([
    'fileinto unfiltered',
    'keep',
    'discard',
  ]);
});

test('RFC 3894 §3: a copy leaves alone what else becomes of the message', () => {
  const script = (more: string) => `require ["copy", "fileinto"]; fileinto :copy "incoming"; ${more}`;
  expect(actions(script(''), MESSAGE_A)).toEqual(['fileinto incoming', 'implicit keep']);
  expect(actions(script('discard;'), MESSAGE_A)).toEqual(['fileinto incoming', 'discard']);
  expect(actions('require "copy"; redirect :copy "a@example.com";', MESSAGE_A)).toEqual([
    'redirect a@example.com',
    'implicit keep',
  ]);
});

const PARTS = (...parts: readonly string[]) =>
  message(
    'From: someone@example.com',
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    'The prologue: save $$$',
    ...parts.flatMap((part) => ['--outer', part]),
    '--outer--',
    'The epilogue',
    '',
  );

test('RFC 5173 §5.1: the body as it is', () => {
  const script = 'require "body"; if body :raw :contains "MAKE MONEY FAST" { discard; }';
  expect(actions(script, message('Subject: x', '', 'make money fast', ''))).toEqual(['discard']);
  expect(actions(script, message('Subject: MAKE MONEY FAST', '', 'x', ''))).toEqual(['implicit keep']);
  expect(actions(script, PARTS('X-Part: MAKE MONEY FAST\r\n\r\nx'))).toEqual(['discard']);
  const encoded = 'Content-Transfer-Encoding: base64\r\n\r\nTUFLRSBNT05FWSBGQVNU';
  expect(actions(script, PARTS(encoded))).toEqual(['implicit keep']);
});

test('RFC 5173 §5.2: parts of some type, decoded', () => {
  const script = `require ["body", "fileinto"];
    # Save any message with any text MIME part that contains the words "missile" or "coordinates" in the "secrets" folder.
    if body :content "text" :contains ["missile", "coordinates"] { fileinto "secrets"; }
    # Save any message with an audio/mp3 MIME part in the "jukebox" folder.
    if body :content "audio/mp3" :contains "" { fileinto "jukebox"; }`;
  expect(actions(script, PARTS('Content-Type: text/html\r\n\r\n<b>Missile</b>'))).toEqual([
    'fileinto secrets',
  ]);
  expect(actions(script, PARTS('Content-Type: audio/mp3\r\n\r\nmissile'))).toEqual(['fileinto jukebox']);
  expect(
    actions(
      script,
      PARTS('Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nY29vcmRpbmF0ZXM='),
    ),
  ).toEqual(['fileinto secrets']);
  expect(actions(script, PARTS('Content-Type: image/png\r\n\r\nmissile'))).toEqual(['implicit keep']);
});

test('RFC 5173 §5.2: prologue and epilogue of a multipart, the header of a message in it', () => {
  const body = (types: string, key: string) =>
    `require "body"; if body :content ${types} :contains "${key}" { discard; }`;
  const nested = PARTS('Content-Type: message/rfc822\r\n\r\nSubject: inner secret\r\n\r\nhidden text');
  expect(actions(body('"multipart"', 'save $$$'), nested)).toEqual(['discard']);
  expect(actions(body('"multipart"', 'epilogue'), nested)).toEqual(['discard']);
  expect(actions(body('"message/rfc822"', 'inner secret'), nested)).toEqual(['discard']);
  expect(actions(body('"message/rfc822"', 'hidden text'), nested)).toEqual(['implicit keep']);
  expect(actions(body('"text"', 'hidden text'), nested)).toEqual(['discard']);
  expect(actions(body('["/text", "text/", "text/plain/x"]', 'hidden text'), nested)).toEqual([
    'implicit keep',
  ]);
  expect(actions(body('""', 'hidden text'), nested)).toEqual(['discard']);
});

test('RFC 5173 §5.3: what a reader sees', () => {
  const script = `require ["body", "fileinto"];
    # Save messages mentioning the project schedule in the project/schedule folder.
    if body :text :contains "project schedule" { fileinto "project/schedule"; }`;
  expect(actions(script, PARTS('Content-Type: text/plain\r\n\r\nThe project schedule is here'))).toEqual([
    'fileinto project/schedule',
  ]);
  expect(actions(script, PARTS('Content-Type: text/html\r\n\r\n<p>The project <i>schedule</i></p>'))).toEqual(
    [
      'fileinto project/schedule',
    ],
  );
});

test('RFC 5173 §6: a body never sets match variables', () => {
  const script = `require ["body", "variables", "fileinto"];
    if header :matches "From" "*@*" { }
    if body :raw :matches "*" { fileinto "\${1}"; }`;
  expect(actions(script, PARTS('\r\nx'))).toEqual(['fileinto someone']);
});
