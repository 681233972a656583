import { expect, test } from 'bun:test';
import { parse } from 'smol-toml';
import { locateKeys } from '../../../src/config/toml/locate.ts';
import { Random } from '../../harness/random.ts';

test('keys are found in every form TOML has', () => {
  const document = [
    '# comment with [brackets] and "quotes"', //          1
    'top = 1 # trailing = comment', //                    2
    '[server] # admins', //                               3
    'admins = [ "a#b", # x = 1', //                       4
    '  "c]" ]', //                                        5
    "name = '''", //                                      6
    'fake = 1', //                                        7
    "'''", //                                             8
    'text = """ \\""" fake = 2', //                       9
    '"""""', //                                           10
    '"quoted \\" key" = { x = 1, y = { z = [1, {q = 2}] } }', // 11
    '\'lit.eral\'."dotted" . key = 3', //                 12
    '', //                                                13
    '[[tls.certificate]]', //                             14
    'server_cert = "a"', //                               15
    '[[tls.certificate]]', //                             16
    'server_cert = "b"', //                               17
    '[tls.certificate.sub]', //                           18
    'deep = 1979-05-27T07:32:00Z', //                     19
    '[ services . "im ap" ]', //                          20
    'listen = 1', //                                      21
  ].join('\r\n');
  parse(document);
  const lines = locateKeys(document);
  expect(lines.line('top')).toBe(2);
  expect(lines.line('server')).toBe(3);
  expect(lines.line('server', 'admins')).toBe(4);
  expect(lines.line('server', 'admins', '1')).toBe(5);
  expect(lines.line('server', 'name')).toBe(6);
  expect(lines.line('server', 'text')).toBe(9);
  expect(lines.line('server', 'quoted " key')).toBe(11);
  expect(lines.line('server', 'quoted " key', 'y', 'z')).toBe(11);
  expect(lines.line('server', 'lit.eral', 'dotted', 'key')).toBe(12);
  expect(lines.line('tls', 'certificate', '0', 'server_cert')).toBe(15);
  expect(lines.line('tls', 'certificate', '1', 'server_cert')).toBe(17);
  expect(lines.line('tls', 'certificate', '1', 'sub', 'deep')).toBe(19);
  expect(lines.line('services', 'im ap', 'listen')).toBe(21);
});

test('what is not there has the line of the table above it, or none', () => {
  const lines = locateKeys('\n[server]\nadmins = []\n');
  expect(lines.line('server', 'missing')).toBe(2);
  expect(lines.line('fake')).toBe(0);
  expect(locateKeys('').line('x')).toBe(0);
});

/** A document of random shape whose keys are numbered by the line they were written on. */
function generate(random: Random): { text: string; keys: Map<string, number> } {
  const lines: string[] = [];
  const keys = new Map<string, number>();
  const noise = () => {
    while (random.oneIn(2)) lines.push(random.pick(['', '  ', '# k = 1 [x]', '\t# "']));
  };
  const values = [
    '1',
    'true',
    '"a # b"',
    "'c = d'",
    '""',
    '[1,\n 2, # [x]\n 3]',
    '"""\nfake = 1\n[fake]\n"""',
    "'''\n\n'''",
    '{ a = "}", b = [ "]" ] }',
  ];
  for (let table = 0; table < 4; table++) {
    noise();
    lines.push(`[t${table}]${random.oneIn(2) ? ' # x' : ''}`);
    keys.set(`t${table}`, lines.join('\n').split('\n').length);
    for (let key = 0; key < random.below(5); key++) {
      noise();
      lines.push(`k${key} =${random.oneIn(2) ? '\t' : ' '}${random.pick(values)}`);
      const text = lines.join('\n').split('\n');
      const height = (lines.at(-1) ?? '').split('\n').length;
      keys.set(`t${table} k${key}`, text.length - height + 1);
    }
  }
  return { text: lines.join('\n'), keys };
}

test('every key of a generated document is found on its line', () => {
  const seed = 7;
  const random = new Random(seed);
  for (let round = 0; round < 300; round++) {
    const { text, keys } = generate(random);
    parse(text);
    const lines = locateKeys(text);
    const found = [...keys.keys()].map((key) => [key, lines.line(...key.split(' '))] as const);
    expect({ seed, round, text, found }).toEqual({ seed, round, text, found: [...keys] });
  }
});

test('even text that is no TOML ends', () => {
  const random = new Random(11);
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: random.below(40) }, () => random.pick([...'ab=.[]{}"\'#,\\\n \t']))
      .join('');
    locateKeys(text);
  }
});
