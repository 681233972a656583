/** What a script may be called (RFC 5804 §1.6). */

import { expect, test } from 'bun:test';
import { scriptName } from '../../../src/managesieve/parse/name.ts';

function name(text: string): string {
  return scriptName(Buffer.from(text, 'utf8').toString('latin1'));
}

test('names are text, no paths: dots and slashes mean nothing', () => {
  for (
    const one of ['a', '../x', 'a/b', '.', '..', '/etc/passwd', 'Größe', '日本語', 'a b', ' ', '"\\', '😀']
  ) {
    expect(name(one)).toBe(one);
  }
});

test('128 characters of four bytes fit, more do not, and nothing is cut off', () => {
  expect(name('😀'.repeat(128))).toBe('😀'.repeat(128));
  expect(() => name('😀'.repeat(129))).toThrow('longer than 512 bytes');
  expect(() => name('a'.repeat(4096))).toThrow('longer than 512 bytes');
});

test('what looks the same is the same (RFC 5198 §3)', () => {
  expect(name('Gro\u0308ße')).toBe('Größe');
});

test('no controls, no separators of lines, no empty name', () => {
  for (
    const bad of [
      '\0',
      'a\0b',
      'a\nb',
      'a\rb',
      '\t',
      '\x1b[1m',
      '\x7f',
      '\u0080',
      '\u009f',
      '\u2028',
      '\u2029',
    ]
  ) {
    expect(() => name(bad)).toThrow('control characters');
  }
  expect(() => name('')).toThrow('is empty');
});

test('no bytes that are not UTF-8', () => {
  for (const bad of ['\xff', '\xc0\xaf', '\xed\xa0\x80', 'a\xe2\x82', '\xf8\x88\x80\x80\x80']) {
    expect(() => scriptName(bad)).toThrow('UTF-8');
  }
});
