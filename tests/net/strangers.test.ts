import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { plainAddress } from '../../src/net/socket.ts';
import { clientKey, Strangers } from '../../src/net/strangers.ts';

test('an address may hold so many connections without authenticating (FIELD 13)', () => {
  const strangers = new Strangers();
  const leave: (() => void)[] = [];
  for (let count = 0; count < limits.preauth_per_address.value; count++) {
    const entered = strangers.enter('192.0.2.1');
    expect(entered).toBeDefined();
    leave.push(entered as () => void);
  }
  expect(strangers.enter('192.0.2.1')).toBeUndefined();
  expect(strangers.enter('192.0.2.2')).toBeDefined();
  leave[0]?.();
  leave[0]?.();
  expect(strangers.enter('192.0.2.1')).toBeDefined();
  expect(strangers.enter('192.0.2.1')).toBeUndefined();
});

test('the own machine is no stranger', () => {
  const strangers = new Strangers(0);
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '']) expect(strangers.enter(address)).toBeDefined();
  expect(strangers.enter('10.0.0.1')).toBeUndefined();
});

test('an IPv6 customer is one /64, however it is written', () => {
  expect(clientKey('2001:db8:1:2:3:4:5:6')).toBe(clientKey('2001:db8:1:2::1'));
  expect(clientKey('2001:0db8:0001:2::')).toBe('2001:db8:1:2::/64');
  expect(clientKey('::1')).toBe('0:0:0:0::/64');
  expect(clientKey('2001:db8::1')).not.toBe(clientKey('2001:db8:0:1::1'));
});

test('addresses as people write them', () => {
  expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
  expect(plainAddress(undefined)).toBe('');
});
