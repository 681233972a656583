import { expect, test } from 'bun:test';
import { parseCyrusConf } from '../../../src/config/cyrusconf/parse.ts';
import { type Finding, formatFinding } from '../../../src/config/finding.ts';
import { Random } from '../../harness/random.ts';

function parse(text: string): { entries: unknown[]; problems: string[] } {
  const problems: Finding[] = [];
  const entries = parseCyrusConf(text, 'c.conf', problems)
    .map((entry) => [entry.line, entry.section, entry.name, Object.fromEntries(entry.arguments)]);
  return { entries, problems: problems.map(formatFinding) };
}

test('sections, names and arguments, with tabs, comments and Windows line ends', () => {
  const text = '# top\r\nSTART {\r\n\trecover\tcmd="ctl_cyrusdb -r" # c\r\n}\r\nservices{\r\n' +
    '  imap cmd="imapd -s" listen=imap prefork=5\r\n}\r\nEVENTS { }\r\n';
  expect(parse(text)).toEqual({
    entries: [
      [3, 'START', 'recover', { cmd: 'ctl_cyrusdb -r' }],
      [6, 'SERVICES', 'imap', { cmd: 'imapd -s', listen: 'imap', prefork: '5' }],
    ].map((entry) => entry),
    problems: [],
  });
});

test('a brace may close the section behind an entry', () => {
  expect(parse('EVENTS {\nx cmd="a" period=3 }\nSTART {\n}').entries).toEqual([
    [2, 'EVENTS', 'x', { cmd: 'a', period: '3' }],
  ]);
});

test('what is wrong is named with its line', () => {
  const text = 'imap cmd="x"\nSERVICE {\n a cmd="b"\n}\nSERVICES {\n!\n b cmd\n c cmd="d\n e cmd=f cmd=g\n' +
    ' h cmd=i\n h cmd=j\n';
  expect(parse(text).problems).toEqual([
    'c.conf:1: expected a section such as SERVICES {, found "imap cmd="x""',
    'c.conf:2: SERVICE: unknown section; there are START, SERVICES, EVENTS, DAEMON',
    'c.conf:6: expected a name and key="value" pairs, found "!"',
    'c.conf:7: b: expected key="value" at "cmd"',
    'c.conf:8: c: the closing " is missing at "cmd="d"',
    'c.conf:9: e: cmd is given twice',
    'c.conf:11: h: was given before, in line 10; every name stands once',
    'c.conf:5: SERVICES: the section is not closed by }',
  ]);
});

test('any text ends', () => {
  const random = new Random(5);
  for (let round = 0; round < 2000; round++) {
    const body = Array.from({ length: random.below(60) }, () => random.pick([...'ab={}"# \t\n'])).join('');
    parse(random.oneIn(2) ? body : `SERVICES {\n${body}`);
  }
  parse(`SERVICES {\nx ${'a=b '.repeat(100_000)}`);
});
