/** RFC 5435, RFC 5436 */

import { expect, test } from 'bun:test';
import type { NotifyAction } from '../../../src/sieve/result.ts';
import { DEFAULT_SETTINGS } from '../../../src/sieve/settings.ts';
import { parseMailto } from '../../../src/sieve/mailto.ts';
import { actions, decide, findings, holds, message, MESSAGE_A, type World } from '../harness.ts';

const XMPP: World = {
  settings: { ...DEFAULT_SETTINGS, notify: { schemes: new Set(['xmpp', 'tel']), most: 10 } },
  compile: { settings: { ...DEFAULT_SETTINGS, notify: { schemes: new Set(['xmpp', 'tel']), most: 10 } } },
  host: { notifyMethod: (uri) => uri.startsWith('xmpp:tim@') ? { online: 'yes' } : null },
};

function notifications(script: string, mail = MESSAGE_A, world: World = {}): NotifyAction[] {
  return decide(`require ["enotify", "variables"]; ${script}`, mail, world).filter((action) =>
    action.kind === 'notify'
  );
}

test('RFC 5435 §3: what a script says is in the action; the message is kept', () => {
  const script =
    'notify :importance "1" :message "Wichtig, ü" :options ["a=b", "c.d="] :from "Me <me@example.org>" "mailto:alm@example.com";';
  expect(notifications(script)).toEqual([{
    kind: 'notify',
    method: {
      scheme: 'mailto',
      mailto: {
        to: [{ address: 'alm@example.com', name: null }],
        cc: [],
        bcc: [],
        subject: null,
        body: null,
        fields: [],
      },
      from: { address: 'me@example.org', name: 'Me' },
    },
    importance: 1,
    options: ['a=b', 'c.d='],
    message: 'Wichtig, ü',
    fcc: null,
  }]);
  expect(notifications('notify "mailto:a@b";')).toMatchObject([{
    importance: 2,
    options: [],
    message: null,
    method: { from: null },
  }]);
  expect(actions('require "enotify"; notify "mailto:a@b";', MESSAGE_A)).toEqual(['notify', 'implicit keep']);
});

const named = (...addresses: string[]) => addresses.map((address) => ({ address, name: null }));

test('RFC 6068: the names before addresses, quoted or encoded', () => {
  expect(
    parseMailto(
      'mailto:%22A,%20B%20%5C%22C%22%20%3Ca@b.c%3E%2cG%C3%BCnther%20%3Cd@e.f%3E,g@h.i?cc=%3D%3Futf-8%3Fq%3Fx%3DC3%3DBC%3F%3D%20%3Cz@z.z%3E',
    ),
  ).toMatchObject({
    to: [
      { address: 'a@b.c', name: 'A, B "C' },
      { address: 'd@e.f', name: 'Günther' },
      { address: 'g@h.i', name: null },
    ],
    cc: [{ address: 'z@z.z', name: 'xü' }],
  });
});

test('RFC 6068: addresses, fields and percent-encoding of a URI', () => {
  expect(
    parseMailto(
      'mailto:a@b.c%2cd@e.f?CC=g@h.i&subject=Frop%20received&body=x%0D%0Ay%C3%BC&X-A=1&bcc=z@z.z&to=y@y.y',
    ),
  )
    .toEqual({
      to: named('a@b.c', 'd@e.f', 'y@y.y'),
      cc: named('g@h.i'),
      bcc: named('z@z.z'),
      subject: 'Frop received',
      body: 'x\r\nyü',
      fields: [['x-a', '1']],
    });
  expect(parseMailto('mailto:')).toMatchObject({ to: [] });
  for (
    const uri of [
      'mailto:a@b;?x=y',
      'mailto:a@b?x<=y',
      'mailto:a@b?x=y>z',
      'mailto:a@b?x:=y',
      'mailto:a%23b',
      'mailto:a@b?to=c%23d',
      'mailto:a@b?x',
      'mailto:a b@c',
      'mailto:a@b?x%0d=y',
      'mailto:a@b%0d%0aBcc:c@d',
      'mailto:%zz@b',
    ]
  ) expect([uri, typeof parseMailto(uri)]).toEqual([uri, 'string']);
});

test('RFC 5435 §3.2: constant methods are checked at once, others when they are used', () => {
  expect(findings('require "enotify"; notify "snailto:a@b";')[0]).toContain('begins with "mailto:"');
  expect(findings('require "enotify"; notify "mailto:a%23b";')[0]).toContain('is no address');
  expect(findings('require "enotify"; notify :importance "4" "mailto:a@b";')[0]).toContain(
    'expected "1", "2" or "3"',
  );
  expect(findings('require "enotify"; notify :options "a" "mailto:a@b";')[0]).toContain('no option');
  expect(findings('require "enotify"; notify :from "x" "mailto:a@b";')[0]).toContain('no address');
  expect(() => notifications('set "m" "snailto:x"; notify "${m}";')).toThrow('unknown notification method');
  expect(() => notifications('set "m" ""; notify "${m}";')).toThrow('unknown notification method');
  expect(() => notifications('set "i" "9"; notify :importance "${i}" "mailto:a@b";')).toThrow(
    'expected "1", "2" or "3"',
  );
});

test("other methods are the host's", () => {
  expect(notifications('notify :from "any" "xmpp:tim@example.com?message;subject=SIEVE";', MESSAGE_A, XMPP))
    .toMatchObject([{
      method: { scheme: 'xmpp', uri: 'xmpp:tim@example.com?message;subject=SIEVE', from: 'any' },
    }]);
  expect(() => notifications('notify "tel:+14085551212";', MESSAGE_A, XMPP)).toThrow('cannot be used');
});

test('RFC 5435 §4, §5: methods that are valid, and what they can', () => {
  const held = (test: string): boolean => holds(test, MESSAGE_A, ['enotify', 'fcc'], XMPP);
  expect(held('valid_notify_method ["mailto:", "xmpp:tim@example.com"]')).toBe(true);
  expect(held('valid_notify_method ["mailto:", "http://gw.example.net/notify?test"]')).toBe(false);
  expect(held('valid_notify_method "mailto:a@b?x:=y"')).toBe(false);
  expect(held('valid_notify_method "xmpp:kim@example.com"')).toBe(false);
  expect(held('notify_method_capability "mailto:a@b" "Online" "maybe"')).toBe(true);
  expect(held('notify_method_capability "mailto:" "fcc" "yes"')).toBe(true);
  expect(held('notify_method_capability "xmpp:tim@example.com" "online" "yes"')).toBe(true);
  expect(held('notify_method_capability "xmpp:tim@example.com" "Fcc" "no"')).toBe(true);
  expect(held('notify_method_capability :contains "mailto:a@b" "frop" ""')).toBe(false);
  expect(held('notify_method_capability :contains "snailto:a@b" "online" ""')).toBe(false);
});

test('RFC 5435 §6: :encodeurl, which cuts no character in two', () => {
  const script = 'set :encodeurl "b" "Safe body&evil=evilbody/ü"; notify "mailto:tim@example.com?body=${b}";';
  expect(notifications(script)).toMatchObject([{
    method: { mailto: { body: 'Safe body&evil=evilbody/ü' } },
  }]);
  const long = `set :encodeurl "a" "${
    '@'.repeat(2000)
  }"; set :length "n" "\${a}"; notify :message "\${n}" "mailto:a@b";`;
  expect(notifications(long)[0]?.message).toBe('4095');
});

test('RFC 5436 §2.7: nobody is notified twice by one script', () => {
  const script = `notify "mailto:timo@example.com%2cstephan@example.net?cc=stephan@example.net";
    notify "mailto:other@example.org?cc=TIMO@example.com"; notify "mailto:timo@example.com";`;
  expect(notifications(script)).toMatchObject([
    { method: { mailto: { to: named('timo@example.com', 'stephan@example.net'), cc: [] } } },
    { method: { mailto: { to: named('other@example.org'), cc: [] } } },
  ]);
});

test('limit: notifications of one run; none where policy allows none', () => {
  const script = (count: number): string =>
    Array.from({ length: count }, (_, i) => `notify "mailto:u${i}@b";`).join('');
  const { most } = DEFAULT_SETTINGS.notify;
  expect(notifications(script(most))).toHaveLength(most);
  expect(() => notifications(script(most + 1))).toThrow('number of notify actions exceeds policy limit (10)');
  const none = { ...DEFAULT_SETTINGS, notify: { schemes: new Set<string>(), most: 0 } };
  expect(findings(`require "enotify"; ${script(1)}`, { settings: none })[0]).toContain(
    'local policy prohibits the use of a notify action',
  );
  expect(() => notifications(script(1), MESSAGE_A, { settings: none })).toThrow(
    'local policy prohibits the use of a notify action',
  );
});

test("Cyrus's notify: by a method's name, with parts of the message in its text, and taken back", () => {
  const mail = message('From: A <a@example.com>', 'Subject: Hi', '', 'The text.');
  const old = (script: string): readonly NotifyAction[] =>
    decide(`require "notify"; ${script}`, mail).filter((action) => action.kind === 'notify');
  expect(old('notify;')).toEqual([{
    kind: 'notify',
    method: { scheme: '', name: 'default', id: null },
    importance: 2,
    options: [],
    message: 'A <a@example.com>: Hi',
    fcc: null,
  }]);
  expect(
    old(
      'notify :method "zephyr" :id "x" :high :options ["u", "v"] :message "$env-from$ $subject$ $text[3]$ $text$ $frop$";',
    ),
  )
    .toMatchObject([{
      method: { name: 'zephyr', id: 'x' },
      importance: 1,
      options: ['u', 'v'],
      message: 'coyote@desert.example.org Hi The The text. $frop$',
    }]);
  const three = 'notify :id "ab" :low; notify :id "cd"; notify;';
  expect(old(`${three} denotify;`)).toEqual([]);
  expect(old(`${three} denotify :is "AB";`)).toHaveLength(2);
  expect(old(`${three} denotify :matches "*";`)).toHaveLength(1);
  expect(old(`${three} denotify :contains "d" :low;`)).toHaveLength(3);
  expect(old(`${three} denotify :low;`)).toHaveLength(2);
  expect(findings('require ["notify", "enotify"];')[0]).toContain('cannot be used together');
});

test('addresses beyond ASCII only where mail can go to them', () => {
  const settings = { ...DEFAULT_SETTINGS, utf8Addresses: false };
  expect(findings('redirect "rüdiger@example.com";')).toEqual([]);
  expect(findings('redirect "rüdiger@example.com";', { settings })[0]).toContain('beyond ASCII');
  expect(() =>
    actions('require "variables"; set "a" "rüdiger@example.com"; redirect "${a}";', MESSAGE_A, { settings })
  ).toThrow('beyond ASCII');
});
