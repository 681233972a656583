/** The examples of RFC 6134, by section, and what its text demands beside them. `:text` in example 5 is `text:`. */

import { expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { sieveSettings } from '../../src/delivery/language.ts';
import { listName } from '../../src/sieve/listname.ts';
import { actions, ENVELOPE, findings, message, MESSAGE_A, outcome, type World } from './harness.ts';

const LISTS: Readonly<Record<string, readonly string[]>> = {
  ':addrbook:default': ['Friend@Example.org'],
  'tag:example.com,2011-01-01:localholidays': ['2026-07-01'],
  'tag:example.com,2010-05-28:mylist': ['alice@example.com', 'bob@example.com'],
  'tag:example.com,2011-04-10:disallowedips': ['192.0.2.66'],
  'tag:example.com,2011-04-10:badfilenameexts': ['run.exe'],
  'tag:example.com,2026:empty': [],
};

function world(changes: Partial<World> = {}): World {
  const spam = { sieve_spamtest_status_header: 'X-Score', sieve_spamtest_max: '10' };
  const settings = { ...sieveSettings(makeSettings(spam)), lists: new Set(Object.keys(LISTS)) };
  return {
    settings,
    compile: { settings },
    host: {
      listed: (list, value) =>
        LISTS[list]?.find((entry) => entry.toLowerCase() === value.toLowerCase()) ?? null,
      members: (list) => LISTS[list] ?? [],
    },
    ...changes,
  };
}

const friend = { ...ENVELOPE, from: 'friend@example.org' };

test('§2.9.1: known senders are trusted more', () => {
  const first =
    `require ["envelope", "extlists", "fileinto", "spamtest", "relational", "comparator-i;ascii-numeric"];
    if envelope :list "from" ":addrbook:default"
      { if spamtest :value "ge" :comparator "i;ascii-numeric" "8" { fileinto "spam"; } }
    elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3" { fileinto "spam"; }`;
  const second = `require ["envelope", "extlists", "fileinto", "spamtest",
        "variables", "relational", "comparator-i;ascii-numeric"];
    if envelope :list "from" ":addrbook:default" { set "lim" "8"; } else { set "lim" "3"; }
    if spamtest :value "ge" :comparator "i;ascii-numeric" "\${lim}" { fileinto "spam"; }`;
  for (const script of [first, second]) {
    const filed = (score: number, envelope = ENVELOPE) =>
      actions(script, message(`X-Score: ${score}`, '', ''), world({ envelope }));
    expect(filed(5)).toEqual(['fileinto spam']);
    expect(filed(2)).toEqual(['implicit keep']);
    expect(filed(5, friend)).toEqual(['implicit keep']);
    expect(filed(8, friend)).toEqual(['fileinto spam']);
  }
});

test('§2.9.2: on a holiday; there is no xmpp here, which is told', () => {
  const by = (uri: string) =>
    `require ["extlists", "date", "enotify"];
    if currentdate :list "date" "tag:example.com,2011-01-01:localHolidays" { notify "${uri}"; }`;
  expect(findings(by('xmpp:romeo@im.example.com'), world().compile)[0]).toContain(
    'unknown notification method',
  );
  const script = by('mailto:romeo@im.example.com');
  expect(actions(script, MESSAGE_A, world())).toEqual(['notify', 'implicit keep']);
  const { host } = world();
  const later = world({ host: { ...host, now: Date.UTC(2026, 6, 2, 12) } });
  expect(actions(script, MESSAGE_A, later)).toEqual(['implicit keep']);
});

test('§2.9.3: a private mailing list', () => {
  const script = `require ["extlists", "envelope", "subaddress"];
    if allof (envelope :detail "to" "mylist",
              header :list "from" "tag:example.com,2010-05-28:mylist") {
      redirect :list "tag:example.com,2010-05-28:mylist";
    }`;
  const to = { ...ENVELOPE, to: 'alexey+mylist@example.com' };
  const mail = message('From: alice@example.com', '', '');
  expect(actions(script, mail, world({ envelope: to }))).toEqual([
    'redirect alice@example.com',
    'redirect bob@example.com',
  ]);
  expect(actions(script, mail, world())).toEqual(['implicit keep']);
  expect(actions(script, MESSAGE_A, world({ envelope: to }))).toEqual(['implicit keep']);
});

test('§2.9.4: a list of addresses that nothing is taken from', () => {
  const script = `require ["variables", "extlists", "index", "reject"];
    if header :index 1 :matches "received" "*(* [*.*.*.*])*" {
      set "ip" "\${3}.\${4}.\${5}.\${6}";
      if string :list "\${ip}" "tag:example.com,2011-04-10:DisallowedIPs" {
        reject "Message not allowed from this IP address";
      }
    }`;
  const from = (ip: string) => message(`Received: from x (y.example [${ip}]) by z; now`, '', '');
  expect(actions(script, from('192.0.2.66'), world())).toEqual(['reject']);
  expect(actions(script, from('192.0.2.67'), world())).toEqual(['implicit keep']);
});

test('§2.9.5: names of attachments', () => {
  const script = `require [ "extlists", "foreverypart", "mime", "enclose", "fileinto" ];
    foreverypart
    {
      if header :mime :param "filename" :list ["Content-Type", "Content-Disposition"]
           "tag:example.com,2011-04-10:BadFileNameExts"
      {
        enclose :subject "Warning" text:
WARNING! The enclosed message has attachments that might be unsafe.
.
;
        break;
      }
    }
    if header "subject" "Warning" { fileinto "unsafe"; }`;
  const attached = (name: string) =>
    message('Subject: hi', `Content-Disposition: attachment; filename="${name}"`, '', 'MZ');
  expect(actions(script, attached('run.exe'), world())).toEqual(['fileinto unsafe']);
  expect(actions(script, attached('run.txt'), world())).toEqual(['implicit keep']);
});

test('§2.2: ${0} is what stands on the list', () => {
  const script = `require ["extlists", "variables", "fileinto", "envelope"];
    if envelope :list "from" ":addrbook:default" { fileinto "\${0}"; }`;
  expect(actions(script, MESSAGE_A, world({ envelope: friend }))).toEqual(['fileinto Friend@Example.org']);
});

test('§2.2: no comparator, and only tests that can', () => {
  const wrong = (test: string) =>
    findings(`require ["extlists", "envelope", "body"]; if ${test} { }`, world().compile)[0] ?? '';
  expect(wrong('header :list :comparator "i;octet" "from" ":addrbook:default"')).not.toBe('');
  expect(wrong('size :list "1" ":addrbook:default"')).not.toBe('');
  for (const test of ['header', 'address', 'envelope']) {
    expect(wrong(`${test} :list "from" ":addrbook:default"`)).toBe('');
  }
});

test('§2.3: a list that leads to no address is an error, and the message stays', () => {
  const script = 'require "extlists"; redirect :list "tag:example.com,2026:empty";';
  const { error, result } = outcome(script, MESSAGE_A, world());
  expect(error?.text).toContain('has no address that mail can be sent to');
  expect(result.actions.filter(({ kind }) => kind === 'redirect')).toEqual([]);
});

test('§2.5: the default address book by all its names', () => {
  for (
    const name of [
      ':addrbook:default',
      ':ADDRBOOK:DEFAULT',
      ':aDdRbOOk:DeFauLt',
      ':AddrBook:%44%65%66ault',
      'urn:ietf:params:sieve:addrbook:default',
      'URN:ietf:params:sieve:addrbook:%64efault',
    ]
  ) {
    expect(listName(name)).toBe(':addrbook:default');
    expect(actions(`require "extlists"; if valid_ext_list "${name}" { discard; }`, MESSAGE_A, world()))
      .toEqual([
        'discard',
      ]);
  }
});

test('§2.7: valid_ext_list says what header :list would', () => {
  for (const name of [':addrbook:default', ':addrbook:none', 'ldap:///x', 'tag:example.com,2026:empty', '']) {
    const valid = actions(`require "extlists"; if valid_ext_list "${name}" { discard; }`, MESSAGE_A, world());
    const known = findings(`require "extlists"; if header :list "from" "${name}" { }`, world().compile);
    expect([name, valid.includes('discard')]).toEqual([name, known.length === 0]);
  }
});
