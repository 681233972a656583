/** What the runtime's own hashes give is what node:crypto gives. */

import { expect, test } from 'bun:test';
import * as node from 'node:crypto';
import {
  createHash,
  createHmac,
  type HashName,
  pbkdf2,
  randomBytes,
  timingSafeEqual,
} from '../src/crypto.ts';

const NAMES: readonly HashName[] = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'];
const INPUTS = ['', 'a', 'Grüße', Buffer.alloc(1000, 0xff), new Uint8Array([0, 1, 2])];

test('hashes and keyed hashes, in pieces, with keys of any length', () => {
  for (const name of NAMES) {
    for (const input of INPUTS) {
      expect(createHash(name).update(input).update('x').digest()).toEqual(
        node.createHash(name).update(input).update('x').digest(),
      );
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(createHmac(name, input).update('x').digest(encoding)).toBe(
          node.createHmac(name, input).update('x').digest(encoding),
        );
      }
    }
  }
  expect(createHash('md5').update('\xe4', 'latin1').digest()).toEqual(
    node.createHash('md5').update('\xe4', 'latin1').digest(),
  );
});

test('PBKDF2, also of an empty password', async () => {
  for (const [hash, length] of [['sha1', 20], ['sha256', 32]] as const) {
    for (const password of ['', 'secret', 'ü'.repeat(100)]) {
      const salt = randomBytes(16);
      expect(await pbkdf2(password, salt, 50, length, hash)).toEqual(
        node.pbkdf2Sync(password, salt, 50, length, hash),
      );
    }
  }
});

test('comparing', () => {
  expect(timingSafeEqual(Buffer.from('ab'), Buffer.from('ab'))).toBe(true);
  expect(timingSafeEqual(Buffer.from('ab'), Buffer.from('ac'))).toBe(false);
  expect(() => timingSafeEqual(Buffer.from('ab'), Buffer.from('a'))).toThrow(RangeError);
});
