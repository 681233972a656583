import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { plainAddress } from '../../src/net/socket.ts';
import { clientKey, Strangers } from '../../src/net/strangers.ts';

test('an address may hold so many connections without authenticating (FIELD 13)', () => {
  const strangers = new Strangers();
  for (let count = 0; count < limits.preauth_per_address.value; count++) {
    expect(strangers.enter('192.0.2.1')).toBe(true);
  }
  expect(strangers.enter('192.0.2.1')).toBe(false);
  expect(strangers.enter('192.0.2.2')).toBe(true);
  strangers.leave('192.0.2.1');
  expect(strangers.enter('192.0.2.1')).toBe(true);
  expect(strangers.enter('192.0.2.1')).toBe(false);
});

test('the own machine is no stranger', () => {
  const strangers = new Strangers(0);
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '']) expect(strangers.enter(address)).toBe(true);
  expect(strangers.enter('10.0.0.1')).toBe(false);
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
