/**
 * The examples of RFC 6009, by section, and what its text demands beside them. Two of §5.1 are not right as they are printed: "ge" in
 * the second is true while there is time, and so would be "lt" in the third, which also lacks a brace.
 */

import { expect, test } from 'bun:test';
import type { Envelope } from '../../src/sieve/message.ts';
import type { Dispatch } from '../../src/sieve/result.ts';
import { actions, decide, ENVELOPE, findings, HOST, message, MESSAGE_A, outcome } from './harness.ts';

function asked(notify: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[]): Envelope {
  return { ...ENVELOPE, dsn: { notify, orcpt: 'rfc822;bird@example.com', ret: null, envid: null } };
}

/** Delivered so many seconds before its time is over. */
function within(seconds: number): Envelope {
  return { ...ENVELOPE, deliverBy: { deadline: HOST.now + seconds * 1000, mode: 'return', trace: false } };
}

function matches(script: string, envelope: Envelope): boolean {
  return actions(script, MESSAGE_A, { envelope }).includes('discard');
}

test('§4.1, first example: SUCCESS is asked for, whatever else is', () => {
  const script = `require ["envelope", "envelope-dsn"];
    if envelope "notify" "SUCCESS" { discard; }`;
  expect(matches(script, asked(['SUCCESS']))).toBe(true);
  expect(matches(script, asked(['DELAY', 'SUCCESS']))).toBe(true);
  expect(matches(script, asked(['FAILURE']))).toBe(false);
  expect(matches(script, ENVELOPE)).toBe(false);
});

test('§4.1, second example: only FAILURE is asked for', () => {
  const script = `require ["envelope", "envelope-dsn", "relational", "comparator-i;ascii-numeric"];
    if allof ( envelope "notify" "FAILURE",
               envelope :comparator "i;ascii-numeric" :count "eq" "notify" "1" ) { discard; }`;
  expect(matches(script, asked(['FAILURE']))).toBe(true);
  expect(matches(script, asked(['FAILURE', 'DELAY']))).toBe(false);
  expect(matches(script, asked(['DELAY']))).toBe(false);
});

test('§4.1, third example: the original recipient with its type', () => {
  const script = `require ["envelope", "envelope-dsn"];
    if envelope :matches "orcpt" "rfc822;*@example.com" { discard; }`;
  expect(matches(script, asked([]))).toBe(true);
  expect(matches(script, ENVELOPE)).toBe(false);
});

test('§4, §5: what is not there never matches, and counts 0', () => {
  const needed = '["envelope", "envelope-dsn", "envelope-deliverby", "relational"]';
  for (
    const part of ['notify', 'orcpt', 'ret', 'envid', 'bytimeabsolute', 'bytimerelative', 'bymode', 'bytrace']
  ) {
    expect(matches(`require ${needed}; if envelope :contains "${part}" "" { discard; }`, ENVELOPE)).toBe(
      false,
    );
    expect(matches(`require ${needed}; if envelope :count "eq" "${part}" "0" { discard; }`, ENVELOPE)).toBe(
      true,
    );
  }
});

test('§4, §5: they are no addresses, and it is an error to ask for a part of one', () => {
  const script = (tag: string, part: string) =>
    `require ["envelope", "envelope-dsn", "envelope-deliverby", "variables"]; set "x" "orcpt"; if envelope ${tag} ${part} "a" { }`;
  for (const tag of [':all', ':localpart', ':domain']) {
    expect(findings(script(tag, '"orcpt"'))[0]).toContain('is no address, of which a part could be taken');
    expect(findings(script(tag, '["to", "bymode"]'))[0]).toContain('"bymode" of the envelope is no address');
    expect(outcome(script(tag, '"${x}"'), MESSAGE_A).error?.text).toContain('"orcpt" of the envelope');
  }
  expect(findings(script(':domain', '"to"'))).toEqual([]);
});

test('§5.1, first example: its time is over', () => {
  const script = `require ["envelope", "envelope-deliverby", "relational", "comparator-i;ascii-numeric"];
    if anyof (envelope :contains "bytimerelative" "-",
              envelope :value "eq" :comparator "i;ascii-numeric" "bytimerelative" "0") { discard; }`;
  expect(matches(script, within(-5))).toBe(true);
  expect(matches(script, within(0))).toBe(true);
  expect(matches(script, within(5))).toBe(false);
  expect(matches(script, ENVELOPE)).toBe(false);
});

test('§5.1, second example: both times are of the same zone and form', () => {
  const script = `require ["envelope", "envelope-deliverby", "relational", "date", "variables"];
    if currentdate :matches "iso8601" "*" {
      set "cdate" "\${0}";
      if envelope :value "ge" "bytimeabsolute" "\${cdate}" { discard; }
    }`;
  expect(matches(script, within(60))).toBe(true);
  expect(matches(script, within(0))).toBe(true);
  expect(matches(script, within(-60))).toBe(false);
});

test('§5.1, third example: filed by the hour it should have been there', () => {
  const script = `require ["envelope", "envelope-deliverby", "relational", "date", "variables", "fileinto"];
    if envelope :matches :zone "+0000" "bytimeabsolute" "*T*:*:*" {
      set "bdate" "\${0}";
      set "bhour" "\${2}";
      if currentdate :zone "+0000" :value "gt" "iso8601" "\${bdate}" {
        fileinto "missed-\${bhour}";
      }
    }`;
  expect(actions(script, MESSAGE_A, { envelope: within(-7200) })).toEqual(['fileinto missed-10']);
  expect(actions(script, MESSAGE_A, { envelope: within(7200) })).toEqual(['implicit keep']);
});

test('§5: the zone is the server\'s or the one that is given; UTC is "Z"', () => {
  const shown = (zone: string) => {
    const script = `require ["envelope", "envelope-deliverby", "variables", "fileinto"];
      if envelope :matches ${zone} "bytimeabsolute" "*" { fileinto "\${0}"; }`;
    return actions(script, MESSAGE_A, { envelope: within(0) });
  };
  expect(shown('')).toEqual(['fileinto 2026-07-01T14:00:00+02:00']);
  expect(shown(':zone "+0000"')).toEqual(['fileinto 2026-07-01T12:00:00Z']);
  expect(shown(':zone "-0330"')).toEqual(['fileinto 2026-07-01T08:30:00-03:30']);
  const wrong = 'require ["envelope", "envelope-deliverby"]; if envelope :zone "GMT" "bymode" "x" { }';
  expect(findings(wrong)[0]).toContain('"GMT" is no time zone');
});

test('§5: mode and trace', () => {
  const script = (part: string, key: string) =>
    `require ["envelope", "envelope-deliverby"]; if envelope "${part}" "${key}" { discard; }`;
  const traced: Envelope = { ...ENVELOPE, deliverBy: { deadline: HOST.now, mode: 'notify', trace: true } };
  expect(matches(script('bymode', 'return'), within(1))).toBe(true);
  expect(matches(script('bymode', 'notify'), traced)).toBe(true);
  expect(matches(script('bytrace', 'trace'), traced)).toBe(true);
  expect(matches(script('bytrace', ''), within(1))).toBe(true);
});

/** What the only redirect of a script asks for. */
function dispatch(script: string, bytes: Uint8Array): Dispatch {
  const found = decide(script, bytes).filter((action) => action.kind === 'redirect');
  expect(found.map(({ address }) => address)).toHaveLength(1);
  return found[0]?.dispatch as Dispatch;
}

const FROM_USER = message('From: user@example.com', '', '');

test('§6.2: a private copy that nobody hears of', () => {
  const script = `require ["copy", "redirect-dsn"];
    if address "from" "user@example.com" { redirect :copy :notify "NEVER" "elsewhere@example.com"; }`;
  expect(dispatch(script, FROM_USER)).toEqual({ notify: ['NEVER'], ret: null, deliverBy: null });
  expect(actions(script, FROM_USER)).toEqual(['redirect elsewhere@example.com', 'implicit keep']);
  expect(actions(script, MESSAGE_A)).toEqual(['implicit keep']);
});

test('§7.2, first example: ten minutes', () => {
  const script = `require ["copy", "redirect-deliverby"];
    if address "from" "user@example.com" { redirect :copy :bytimerelative 600 "cellphone@example.com"; }`;
  expect(dispatch(script, FROM_USER).deliverBy).toEqual({
    deadline: HOST.now + 600_000,
    mode: 'return',
    trace: false,
  });
});

test('§7.2, second example: before a time of day', () => {
  const script = `require ["copy", "redirect-deliverby", "date", "variables",
            "relational", "comparator-i;ascii-numeric"];
    if currentdate :value "lt" :comparator "i;ascii-numeric" "hour" "22"
    {
      if currentdate :matches "date" "*" {set "date" "\${0}";}
      if currentdate :matches "zone" "*" {set "zone" "\${0}";}
      redirect :copy :bytimeabsolute "\${date}T20:00:00\${zone}" :bymode "return" "cellphone@example.com";
    }`;
  expect(dispatch(script, MESSAGE_A).deliverBy?.deadline).toBe(Date.UTC(2026, 6, 1, 18));
  const late = { host: { now: Date.UTC(2026, 6, 1, 20, 30) } };
  expect(actions(script, MESSAGE_A, late)).toEqual(['implicit keep']);
});
