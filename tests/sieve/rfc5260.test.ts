/** The examples of RFC 5260, by section. It is Wednesday, 1 July 2026, 14:00, two hours east of UTC. */

import { expect, test } from 'bun:test';
import { actions, decide, HOST, message, MESSAGE_A } from './harness.ts';

test('§4.4, first example: what the boss sends in working hours', () => {
  const script = `require ["date", "relational", "fileinto"];
    if allof(header :is "from" "boss@example.com",
             date :value "ge" :originalzone "date" "hour" "09",
             date :value "lt" :originalzone "date" "hour" "17")
    { fileinto "urgent"; }`;
  const sent = (date: string, from = 'boss@example.com') =>
    actions(script, message(`From: ${from}`, `Date: ${date}`, '', ''));
  expect(sent('Wed, 1 Jul 2026 09:00:00 -0800')).toEqual(['fileinto urgent']);
  expect(sent('Wed, 1 Jul 2026 08:59:00 -0800')).toEqual(['implicit keep']);
  expect(sent('Wed, 1 Jul 2026 17:00:00 +0000')).toEqual(['implicit keep']);
  expect(sent('Wed, 1 Jul 2026 09:00:00 -0800', 'else@example.com')).toEqual(['implicit keep']);
});

test('§4.4, second example: received at a weekend', () => {
  const script = `require ["date", "relational", "fileinto"];
    if anyof(date :is "received" "weekday" "0", date :is "received" "weekday" "6")
    { fileinto "weekend"; }`;
  const received = (date: string) => actions(script, message(`Received: from a by b; ${date}`, '', ''));
  expect(received('Sat, 4 Jul 2026 12:00:00 +0200')).toEqual(['fileinto weekend']);
  expect(received('Sun, 5 Jul 2026 12:00:00 +0200')).toEqual(['fileinto weekend']);
  // Monday here.
  expect(received('Sun, 5 Jul 2026 23:00:00 +0000')).toEqual(['implicit keep']);
});

const at = (now: number) => ({ host: { ...HOST, now } });

test('§5.1, first example: the pager after hours', () => {
  const script = `require ["date", "relational"];
    if anyof(currentdate :is "weekday" "0",
             currentdate :is "weekday" "6",
             currentdate :value "lt" "hour" "09",
             currentdate :value "ge" "hour" "17")
    { redirect "pager@example.com"; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['implicit keep']);
  for (const now of [Date.UTC(2026, 6, 1, 6, 59), Date.UTC(2026, 6, 1, 15), Date.UTC(2026, 6, 4, 12)]) {
    expect(actions(script, MESSAGE_A, at(now))).toEqual(['redirect pager@example.com']);
  }
});

test('§5.1, second example: away for a week', () => {
  const script = `require ["date", "relational", "vacation"];
    if allof(currentdate :value "ge" "date" "2007-06-30",
             currentdate :value "le" "date" "2007-07-07")
    { vacation :days 7  "I'm away during the first week in July."; }`;
  expect(actions(script, MESSAGE_A, at(Date.UTC(2007, 6, 7, 12)))).toEqual(['vacation', 'implicit keep']);
  expect(actions(script, MESSAGE_A, at(Date.UTC(2007, 6, 8, 12)))).toEqual(['implicit keep']);
});

test('§5.1, third example: a folder for each month', () => {
  const script = `require ["date", "variables", "fileinto"];
    if currentdate :matches "month" "*" { set "month" "\${1}"; }
    if currentdate :matches "year"  "*" { set "year"  "\${1}"; }
    fileinto "\${month}-\${year}";`;
  expect(actions(script, MESSAGE_A)).toEqual(['fileinto 07-2026']);
});

test('§5.1, fourth example: when it was processed', () => {
  const script = `require ["variables", "date", "editheader", "fileinto"];
    if currentdate :matches "std11" "*" {addheader "Processing-date" "\${0}";}
    if header :matches "Processing-date" "*" { fileinto "\${1}"; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['fileinto Wed, 01 Jul 2026 14:00:00 +0200']);
});

test('§6.1: the second Received field', () => {
  const script = `require ["date", "relational", "index"];
    if date :value "gt" :index 2 :zone "-0500" "received" "iso8601" "2007-02-26T09:00:00-05:00"
    { redirect "aftercutoff@example.org"; }`;
  const received = (first: string, second: string) =>
    actions(script, message(`Received: from a by b; ${first}`, `Received: from c by d; ${second}`, '', ''));
  const [early, late] = ['Mon, 26 Feb 2007 13:59:59 +0000', 'Mon, 26 Feb 2007 14:00:01 +0000'];
  expect(received(early, late)).toEqual(['redirect aftercutoff@example.org']);
  expect(received(late, early)).toEqual(['implicit keep']);
  expect(decide(script, message(`Received: from a by b; ${late}`, '', ''))).toMatchObject([{
    implicit: true,
  }]);
});
