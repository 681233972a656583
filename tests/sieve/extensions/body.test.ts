/** RFC 5173: the test; what a body is in `tests/sieve/mail/`. */

import { expect, test } from 'bun:test';
import { limits } from '../../../src/limits.ts';
import { RUN_LIMITS } from '../../../src/sieve/run.ts';
import { actions, findings, holds, message, outcome } from '../harness.ts';

const MAIL = message(
  'From: Whomever',
  'Content-Type: multipart/mixed; boundary=outer',
  '',
  'This is a multi-part message in MIME format.',
  '',
  '--outer',
  'Content-Type: multipart/alternative; boundary=inner',
  '',
  'This is a nested multi-part message in MIME format.',
  '',
  '--inner',
  'Content-Type: text/plain; charset="us-ascii"',
  '',
  'Hello',
  '',
  '--inner',
  'Content-Type: text/html; charset="us-ascii"',
  '',
  '<html><body>Hello <b>wo</b>rld</body></html>',
  '',
  '--inner--',
  '',
  'This is the end of the inner MIME multipart.',
  '',
  '--outer',
  'Content-Type: message/rfc822',
  '',
  'From: Someone Else',
  'Subject: hello request',
  '',
  'Please say Hello',
  '',
  '--outer--',
  '',
  'This is the end of the outer MIME multipart.',
);

function held(test: string): boolean {
  return holds(test, MAIL, ['body', 'relational', 'comparator-i;ascii-numeric', 'variables']);
}

test('§5: raw, content by type, text', () => {
  expect(held('body :raw :contains "--inner"')).toBe(true);
  expect(held('body :raw :contains "Whomever"')).toBe(false);
  expect(held('body :content "text/plain" :contains "hello"')).toBe(true);
  expect(held('body :content "text/plain" :contains "<b>"')).toBe(false);
  expect(held('body :content "text/html" :contains "<b>wo</b>"')).toBe(true);
  expect(held('body :content ["text/html", "text/x"] :contains "please"')).toBe(false);
  expect(held('body :content "TEXT" :contains "please say"')).toBe(true);
  expect(held('body :content "message/rfc822" :contains "hello request"')).toBe(true);
  expect(held('body :content "multipart" :contains "end of the outer"')).toBe(true);
  expect(held('body :content "audio/mp3" :contains ""')).toBe(false);
  expect(held('body :text :contains "Hello world"')).toBe(true);
  expect(held('body :contains "Hello world"')).toBe(true);
});

test('two tests that look at one body differently do not mix what they know of it', () => {
  expect(
    held(
      'allof (body :raw :contains "--inner", not body :text :contains "--inner", body :content "text" :contains "hello")',
    ),
  ).toBe(true);
});

test('§6: it sets no match variables', () => {
  const script = `require ["body", "variables", "fileinto"];
    if header :matches "from" "W*" { } if body :raw :matches "*inner*" { fileinto "x\${1}"; }`;
  expect(actions(script, MAIL)).toEqual(['fileinto xhomever']);
});

test('what was changed is what is looked at', () => {
  const script = `require ["body", "replace"];
    if body :text :contains "hello" { replace "goodbye"; }
    if body :text :contains "goodbye" { discard; }`;
  expect(actions(script, MAIL)).toEqual(['discard']);
});

test('a body costs steps by its length', () => {
  const large = Buffer.concat([message('Subject: x', '', ''), Buffer.alloc(limits.sieve_body.value, 'a')]);
  const script = `require "body"; ${'if body :raw :contains "b" { keep; }'.repeat(10)}`;
  const { error } = outcome(script, large, { limits: { ...RUN_LIMITS, instructions: 500 } });
  expect(error?.text).toBe('the script takes more than 500 steps');
});

test('one transform', () => {
  expect(findings('require "body"; if body :raw :text "x" { }')[0]).toContain("excludes ':raw'");
});
