import { afterAll, expect, test } from 'bun:test';
import { nameOfPort, portOf } from '../../src/config/ports.ts';
import { formatListen, parseListen, parseTimeOfDay } from '../../src/config/services.ts';
import { Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

test('service names resolve without /etc/services', () => {
  const nowhere = '/nowhere/services';
  const known: readonly (readonly [string, number])[] = [
    ['imap', 143],
    ['IMAPS', 993],
    ['pop3', 110],
    ['pop3s', 995],
    ['lmtp', 24],
    ['sieve', 4190],
    ['nntp', 119],
    ['nntps', 563],
    ['csync', 2005],
    ['mupdate', 3905],
  ];
  for (const [name, port] of known) expect(portOf(name, nowhere)).toBe(port);
  expect(portOf('flubber', nowhere)).toBeUndefined();
});

test('others come from /etc/services, by name or alias, TCP only', () => {
  const file = folder.write('services', '# c\nfoo\t\t7001/tcp bar  # baz\nquux 7002/udp\nbig 7003/tcp\n');
  expect(portOf('foo', file)).toBe(7001);
  expect(portOf('bar', file)).toBe(7001);
  expect(portOf('baz', file)).toBeUndefined();
  expect(portOf('quux', file)).toBeUndefined();
});

test('a place is written the way it is read', () => {
  for (const text of ['imap', '40000', '127.0.0.1:imaps', '[::1]:lmtp', 'localhost:0', '/run/lmtp']) {
    const place = parseListen(text, 'any');
    if ('problem' in place) throw new Error(place.problem);
    const listen = place.kind === 'unix' ? { ...place, mode: 0, owner: '', group: '' } : place;
    expect(formatListen(listen)).toBe(text);
  }
  expect(nameOfPort(143)).toBe('imap');
});

test('places that are none', () => {
  for (
    const text of [
      '::1:143',
      'a:b:c',
      '[::1',
      '[::1]143',
      'ho st:143',
      'host:',
      '70000',
      '-1',
      `/${'x'.repeat(107)}`,
    ]
  ) {
    expect({ text, place: parseListen(text, 'any') }).toEqual({
      text,
      place: { problem: expect.any(String) },
    });
  }
});

test('times of day', () => {
  expect(parseTimeOfDay('0400')).toEqual({ kind: 'at', hour: 4, minute: 0 });
  expect(parseTimeOfDay('23:59')).toEqual({ kind: 'at', hour: 23, minute: 59 });
  for (const text of ['', '4', '2400', '12:60', '-100', '04:00:00']) {
    expect(parseTimeOfDay(text)).toBeUndefined();
  }
});
