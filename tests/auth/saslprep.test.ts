import { expect, test } from 'bun:test';
import { saslprep } from '../../src/auth/saslprep.ts';

test('the examples of RFC 4013 §3', () => {
  expect(saslprep('I\u00adX', 'stored')).toBe('IX');
  expect(saslprep('user', 'stored')).toBe('user');
  expect(saslprep('USER', 'stored')).toBe('USER');
  expect(saslprep('\u00aa', 'stored')).toBe('a');
  expect(saslprep('\u2168', 'stored')).toBe('IX');
  expect(saslprep('\u0007', 'stored')).toBeNull();
  expect(saslprep('\u0627\u0031', 'stored')).toBeNull();
});

test('spaces and forms of one character', () => {
  expect(saslprep('a\u00a0b\u3000c', 'query')).toBe('a b c');
  expect(saslprep('u\u0308', 'query')).toBe('\u00fc');
  expect(saslprep(' a  b ', 'query')).toBe(' a  b ');
  expect(saslprep('', 'query')).toBe('');
  expect(saslprep('\u200b\ufeff', 'query')).toBe('');
});

test('characters that came after Unicode 3.2 can be used', () => {
  expect(saslprep('p\u{1f511}w', 'stored')).toBe('p\u{1f511}w');
});

test('what is prohibited', () => {
  for (
    const bad of [
      '\u0000',
      '\u007f',
      '\u0085',
      '\ue000',
      '\ufffe',
      '\ud800',
      '\ufffd',
      '\u200e',
      '\u202e',
      '\u2028',
      '\u{e0041}',
      '\u{10fffe}',
      '\u2ff0',
    ]
  ) {
    expect([bad, saslprep(`a${bad}b`, 'query')]).toEqual([bad, null]);
  }
});

test('unassigned code points can be asked for but not stored', () => {
  expect(saslprep('a\u0378', 'query')).toBe('a\u0378');
  expect(saslprep('a\u0378', 'stored')).toBeNull();
});

test('right-to-left text stands alone', () => {
  expect(saslprep('\u05d0\u05d1', 'stored')).toBe('\u05d0\u05d1');
  expect(saslprep('\u05d0', 'stored')).toBe('\u05d0');
  expect(saslprep('\u05d0 1 \u05d1', 'stored')).toBe('\u05d0 1 \u05d1');
  expect(saslprep('\u05d0a\u05d1', 'stored')).toBeNull();
  expect(saslprep('1\u05d0', 'stored')).toBeNull();
  expect(saslprep('\u05d01', 'stored')).toBeNull();
});
