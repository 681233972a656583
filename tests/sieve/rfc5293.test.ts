/** The examples of RFC 5293 (editheader), by section. */

import { expect, test } from 'bun:test';
import { Mail } from '../../src/sieve/mail/mail.ts';
import { actions, decide, message } from './harness.ts';

/** Values of a field of what is kept or filed. */
function kept(script: string, bytes: Uint8Array, name: string): readonly string[] {
  const [action] = decide(`require ["editheader", "fileinto"]; ${script}`, bytes);
  if (action?.kind !== 'keep' && action?.kind !== 'fileinto') throw new Error('nothing is kept');
  const { content } = action.placement;
  return new Mail(content === null ? bytes : Buffer.concat(content)).fields(name.toLowerCase()).raw;
}

const HELLO = message('X-Hello: one', 'X-Hello: two', 'X-Hello: three', 'Subject: s', '', '');

test('§4: what was redirected is marked and not redirected again', () => {
  const script = `require "editheader";
    /* Don't redirect if we already redirected */
    if not header :contains "X-Sieve-Filtered" ["<kim@job.example.com>", "<kim@home.example.com>"]
    {
      addheader "X-Sieve-Filtered" "<kim@job.example.com>";
      redirect "kim@home.example.com";
    }`;
  const [redirect] = decide(script, message('Subject: s', '', ''));
  expect(redirect?.kind).toBe('redirect');
  const content = redirect?.kind === 'redirect' ? redirect.content : null;
  expect(Buffer.concat(content ?? []).toString()).toStartWith('X-Sieve-Filtered: <kim@job.example.com>\r\n');
  expect(actions(script, message('X-Sieve-Filtered: <kim@job.example.com>', '', ''))).toEqual([
    'implicit keep',
  ]);
});

test('§5: the first Delivered-To, if it holds bob', () => {
  const script = 'deleteheader :index 1 :contains "Delivered-To" "bob@example.com"; keep;';
  const fields = (...values: string[]) => message(...values.map((value) => `Delivered-To: ${value}`), '', '');
  expect(kept(script, fields('bob@example.com', 'amy@example.com', 'bob@example.com'), 'Delivered-To'))
    .toEqual([
      'amy@example.com',
      'bob@example.com',
    ]);
  expect(kept(script, fields('amy@example.com', 'bob@example.com'), 'Delivered-To')).toEqual([
    'amy@example.com',
    'bob@example.com',
  ]);
});

test('§6: Received and Auto-Submitted stay, Subject may go', () => {
  const bytes = message('Received: x', 'Auto-Submitted: no', 'Subject: s', '', '');
  const script = 'deleteheader "Received"; deleteheader "auto-submitted"; deleteheader "Subject"; keep;';
  expect(kept(script, bytes, 'Received')).toEqual(['x']);
  expect(kept(script, bytes, 'Auto-Submitted')).toEqual(['no']);
  expect(kept(script, bytes, 'Subject')).toEqual([]);
});

test('§7: what is added is deleted again', () => {
  expect(kept('addheader "X-Hello" "World"; deleteheader :index 1 "X-Hello"; keep;', HELLO, 'X-Hello'))
    .toEqual([
      'one',
      'two',
      'three',
    ]);
});

test('§7: the first and the third of three', () => {
  const script = 'deleteheader :index 1 "X-Hello"; deleteheader :index 2 "X-Hello"; keep;';
  expect(kept(script, HELLO, 'X-Hello')).toEqual(['two']);
});

test('§7: a test sees what was added', () => {
  const script = `require ["editheader", "fileinto"]; addheader "X-Hello" "World";
    if header :contains "X-Hello" "World" { fileinto "international"; }`;
  expect(actions(script, message('', ''))).toEqual(['fileinto international']);
});

test('§7: the implicit keep has the header as it is at the end', () => {
  expect(kept('addheader "X-Late" "1";', HELLO, 'X-Late')).toEqual(['1']);
});

test('§7: a message that is kept twice, changed in between, is one', () => {
  expect(actions('require "editheader"; keep; addheader "X-Flavor" "vanilla"; keep;', HELLO)).toEqual([
    'keep',
  ]);
});
