import { expect, test } from 'bun:test';
import { eachField, headerField, selectHeaderFields, unfold } from '../../src/mime/header.ts';
import { forSeeds } from './random.ts';

const HEADER =
  'From: a@b\r\nX-Long: one\r\n two\r\n\tthree\r\nTO :c@d\r\nfrom: second\r\nno field\r\nFromage: x\r\n\r\n';

function select(header: string, names: string[], not = false): string {
  return Buffer.from(selectHeaderFields(Buffer.from(header, 'latin1'), names, not)).toString('latin1');
}

test('HEADER.FIELDS keeps bytes, folding, order and the empty line', () => {
  expect(select(HEADER, ['from'])).toBe('From: a@b\r\nfrom: second\r\n\r\n');
  expect(select(HEADER, ['To', 'X-LONG'])).toBe('X-Long: one\r\n two\r\n\tthree\r\nTO :c@d\r\n\r\n');
  expect(select(HEADER, ['absent'])).toBe('\r\n');
  expect(select(HEADER, [''])).toBe('\r\n');
});

test('HEADER.FIELDS.NOT is everything else, lines that are no fields included', () => {
  expect(select(HEADER, ['FROM', 'x-long'], true)).toBe('TO :c@d\r\nno field\r\nFromage: x\r\n\r\n');
  expect(select(HEADER, [], true)).toBe(HEADER);
});

test('a message without an empty line gets none (RFC 9051 §6.4.5)', () => {
  expect(select('A: b\r\nC: d', ['c'])).toBe('C: d');
  expect(select('', ['c'])).toBe('');
  expect(select('A: b\nC: d\n\n', ['a'])).toBe('A: b\n\n');
});

test('the first field of a name, unfolded', () => {
  const header = Buffer.from(HEADER);
  expect(headerField(header, 'FROM')).toBe('a@b');
  expect(headerField(header, 'x-long')).toBe('one two three');
  expect(headerField(header, 'to')).toBe('c@d');
  expect(headerField(header, 'no field')).toBeNull();
  expect(headerField(header, 'Fro')).toBeNull();
  expect(headerField(header, '\u0166rom')).toBeNull();
});

test('unfolding', () => {
  expect(unfold(' a\r\n b\n\tc\r\n  d\r\n')).toBe('a b c  d');
  expect(unfold('a\r\n \r\n b')).toBe('a  b');
  expect(unfold('a\rb\0c')).toBe('a b c');
  expect(unfold('\xa0a\xa0')).toBe('\xa0a\xa0');
});

test('fields and the empty line are the header, each byte once', () => {
  forSeeds(3000, (random) => {
    const text = random.text('aB: \t\r\n\n-\xff\0', 60);
    const header = Buffer.from(text, 'latin1');
    let covered = 0;
    const blank = eachField(header, (start, nameEnd, valueStart, end) => {
      expect(start).toBe(covered);
      expect(start <= nameEnd && nameEnd <= valueStart && valueStart <= end && end > start).toBe(true);
      covered = end;
    });
    expect(blank).toBe(covered);
    // The model: split into lines, a field begins at each line that does not begin with a blank.
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const ends = lines.findIndex((line) => line === '\n' || line === '\r\n');
    const block = lines.slice(0, ends < 0 ? lines.length : ends).join('');
    expect(blank).toBe(block.length);
    for (const not of [false, true]) {
      const fields = block.match(/[^\n]*(?:\n[ \t][^\n]*)*(?:\n|$)/g) ?? [];
      const kept = fields.filter((field) => /^ab[ \t]*:/i.test(field) !== not).join('');
      expect(select(text, ['Ab'], not)).toBe(kept + text.slice(blank));
    }
  });
});
