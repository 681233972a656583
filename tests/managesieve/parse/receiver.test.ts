/** Commands cut out of bytes: whatever the pieces they come in, whatever is wrong with the command in front. */

import { describe, expect, test } from 'bun:test';
import { limitError } from '../../../src/errors.ts';
import { limits } from '../../../src/limits.ts';
import type { Argument, ReceiverEvent, ReceiverLimits } from '../../../src/managesieve/parse/received.ts';
import { Receiver } from '../../../src/managesieve/parse/receiver.ts';
import { Random } from '../../harness/random.ts';

const KNOWN: ReceiverLimits = {
  line: limits.managesieve_line.value,
  fatal: false,
  literal: (bytes) => bytes > 1000 ? limitError('large', 'toobig') : undefined,
};
const STRANGER: ReceiverLimits = { ...KNOWN, fatal: true };

function all(bytes: Buffer, cut: (left: number) => number, bounds = KNOWN): ReceiverEvent[] {
  const receiver = new Receiver(bounds);
  const events: ReceiverEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, Math.min(bytes.length - at, cut(bytes.length - at)));
    receiver.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
    for (let event = receiver.next(); event !== undefined; event = receiver.next()) events.push(event);
  }
  return events;
}

/** In few words. */
function said(events: readonly ReceiverEvent[]): string[] {
  return events.map((event) =>
    event.type === 'command'
      ? [event.command.name, ...event.command.args.map(({ kind, text }) => `${kind}:${text}`)].join(' ')
      : event.type === 'string'
      ? `string ${event.text}`
      : `${event.fatal ? 'fatal' : 'refused'} ${event.name}: ${event.error.message}`
  );
}

function read(text: string, bounds = KNOWN): string[] {
  return said(all(Buffer.from(text, 'latin1'), () => Infinity, bounds));
}

describe('a command', () => {
  test('has strings, quoted or not, and numbers (RFC 5804 §1.2)', () => {
    expect(read('putscript "a \\"b\\" \\\\" {7+}\r\nkeep;\r\n\r\nHaveSpace "x" 12\r\n')).toEqual([
      'PUTSCRIPT string:a "b" \\ string:keep;\r\n',
      'HAVESPACE string:x number:12',
    ]);
  });

  test('may have a literal without plus, whose octets follow as well', () => {
    expect(read('PUTSCRIPT {1}\r\na {5}\r\nkeep;\r\nNOOP\r\n')).toEqual([
      'PUTSCRIPT string:a string:keep;',
      'NOOP',
    ]);
  });

  test('may have empty literals', () => {
    expect(read('CHECKSCRIPT {0+}\r\n\r\nNOOP ""\r\n')).toEqual(['CHECKSCRIPT string:', 'NOOP string:']);
  });

  test('stray line ends in front of it do not count', () => {
    expect(read('\r\n\nNOOP\n')).toEqual(['NOOP']);
  });
});

describe('what is wrong', () => {
  for (
    const [sent, told] of [
      ['"NOOP"', 'refused : Expected a command'],
      ['(NOOP)', 'refused : Expected a command'],
      [' NOOP', 'refused : Expected a command'],
      ['N\xd6\xd6P', 'refused : Expected a command'],
      ['NOOP "a', 'refused NOOP: Expected a string or a number'],
      ['NOOP "a\\b"', 'refused NOOP: Expected a string or a number'],
      ['NOOP "a""b"', 'refused NOOP: Expected a space between arguments'],
      ['NOOP (a)', 'refused NOOP: Expected a string or a number'],
      ['NOOP\0', 'refused : A line must not hold NUL or a CR without LF'],
      ['NOOP "a\rb"', 'refused : A line must not hold NUL or a CR without LF'],
      ['NOOP {-1+}', 'refused NOOP: Expected a string or a number'],
      ['NOOP {9e9+}', 'refused NOOP: Expected a string or a number'],
      ['NOOP {4294967296+}', 'fatal NOOP: large'],
      ['NOOP {99999999999999999999999999999999+}', 'fatal NOOP: large'],
      ['NOOP a b c d e', 'refused NOOP: Too many arguments'],
    ] as const
  ) {
    test(`${JSON.stringify(sent)}`, () => {
      const [first, second] = read(`${sent}\r\nNOOP "after"\r\n`);
      expect(first).toBe(told);
      if (told.startsWith('refused')) expect(second).toBe('NOOP string:after');
    });
  }

  test('what is in a literal of a command that is refused is never read as commands (FIELD 6)', () => {
    for (
      const head of [
        'PUTSCRIPT"a" {14+}',
        'PUTSCRIPT "a"{14+}',
        'PUTSCRIPT "a" "b {14+}',
        '"PUTSCRIPT" {14+}',
        'PUTSCRIPT ) {14+}',
        'PUTSCRIPT {014+}',
        'PUTSCRIPT {14}',
        `PUTSCRIPT "${'a'.repeat(limits.managesieve_line.value)}" {14+}`,
      ]
    ) {
      const events = read(`${head}\r\nSETACTIVE "x"\n garbage\r\nNOOP "after"\r\n`);
      expect(events.filter((event) => event.startsWith('SETACTIVE'))).toEqual([]);
      expect(events.at(-1)).toBe('NOOP string:after');
    }
  });

  test('a literal that is too long is refused when it is announced, and its bytes are dropped', () => {
    const receiver = new Receiver(KNOWN);
    receiver.push(Buffer.from('PUTSCRIPT "a" {1001+}\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'refused', name: 'PUTSCRIPT', fatal: false });
    receiver.push(Buffer.from(`${'NOOP\r\n'.repeat(166)}12345 "b" {3+}\r\nabc\r\nNOOP "after"\r\n`));
    expect(said([receiver.next() as ReceiverEvent])).toEqual(['NOOP string:after']);
  });

  test('from a stranger it ends the connection', () => {
    expect(read('AUTHENTICATE "PLAIN" {2147483648+}\r\n', STRANGER)).toEqual(['fatal AUTHENTICATE: large']);
    expect(read('AUTHENTICATE ("PLAIN") {2147483648+}\r\n', STRANGER)).toEqual([
      'fatal AUTHENTICATE: Expected a string or a number',
    ]);
    expect(read('a'.repeat(limits.managesieve_line.value + 1), STRANGER)[0]).toStartWith('fatal');
  });

  test('too many literals, however small', () => {
    const many = '{1+}\r\na '.repeat(limits.managesieve_literals.value);
    expect(read(`NOOP ${many}{1+}\r\nb\r\nNOOP\r\n`)).toEqual(['refused NOOP: Too many literals', 'NOOP']);
  });

  test('many bytes in several literals', () => {
    expect(read(`PUTSCRIPT {600+}\r\n${'a'.repeat(600)} {401+}\r\n${'b'.repeat(401)}\r\nNOOP\r\n`)).toEqual([
      'refused PUTSCRIPT: large',
      'NOOP',
    ]);
  });
});

describe('a response', () => {
  function respond(text: string): string[] {
    const receiver = new Receiver(KNOWN);
    receiver.expectString();
    receiver.push(Buffer.from(text, 'latin1'));
    const events: ReceiverEvent[] = [];
    for (let event = receiver.next(); event !== undefined; event = receiver.next()) events.push(event);
    return said(events);
  }

  test('is a string alone on its line (RFC 5804 §2.1)', () => {
    expect(respond('"YWJj"\r\nNOOP\r\n')).toEqual(['string YWJj', 'NOOP']);
    expect(respond('{4+}\r\nYWJj\r\nNOOP\r\n')).toEqual(['string YWJj', 'NOOP']);
    expect(respond('""\r\n')).toEqual(['string ']);
    expect(respond('"*"\r\n')).toEqual(['string *']);
  });

  test('that is none is refused, and the next line is a command', () => {
    for (const wrong of ['YWJj', '"a" "b"', '12', '"a']) {
      expect(respond(`${wrong}\r\nNOOP\r\n`)).toEqual([expect.stringMatching(/^refused /), 'NOOP']);
    }
  });

  test('has a bound', () => {
    expect(respond(`{${limits.sasl_response.value + 1}+}\r\n`)).toEqual([
      'refused : The response is too long',
    ]);
  });
});

test('generated commands come out as they went in, wherever the bytes are cut', () => {
  const random = new Random(5804);
  for (let round = 0; round < 300; round++) {
    const commands = Array.from({ length: 1 + random.below(5) }, () => ({
      name: random.pick(['NOOP', 'PUTSCRIPT', 'HAVESPACE', 'X-1']),
      args: Array.from({ length: random.below(4) }, () => argument(random)),
    }));
    const bytes = Buffer.from(commands.map((command) => written(command, random)).join(''), 'latin1');
    const events = all(bytes, () => 1 + random.below(20));
    expect(events).toEqual(commands.map((command) => ({ type: 'command', command })));
  }
});

test('whatever comes, a line that is one is answered behind it, and nothing is held beyond the bounds', () => {
  const random = new Random(52);
  const pieces = [
    'NOOP',
    ' ',
    '"',
    '\\',
    '{',
    '+}',
    '}',
    '\r\n',
    '\n',
    '\r',
    '\0',
    '5',
    '{5+}\r\n',
    '{900+}\r\n',
    'abc',
    '(',
    ')',
    '\xff',
  ];
  for (let round = 0; round < 600; round++) {
    const noise = Array.from({ length: random.below(40) }, () => random.pick(pieces)).join('');
    // Longer than every literal that can be open, and lines enough to end whatever is.
    const end = `${'\r\n'.repeat(4)}${'x'.repeat(8000)}\r\n`.repeat(14);
    const events = all(Buffer.from(`${noise}${end}NOOP "after"\r\n`, 'latin1'), () => 1 + random.below(5000));
    expect(said(events).at(-1)).toBe('NOOP string:after');
  }
});

function argument(random: Random): Argument {
  switch (random.below(4)) {
    case 0:
      return { kind: 'number', text: String(random.below(4_294_967_296)) };
    case 1:
      return { kind: 'atom', text: random.pick(['a', 'x.y', 'A-b!']) };
    default: {
      const bytes = Array.from({ length: random.below(30) }, () => random.below(256));
      return { kind: 'string', text: String.fromCharCode(...bytes) };
    }
  }
}

function written(command: { name: string; args: readonly Argument[] }, random: Random): string {
  const words = command.args.map(({ kind, text }) => {
    if (kind !== 'string') return text;
    const literal = /[\0\r\n]/.test(text) || random.below(2) === 0;
    return literal ? `{${text.length}+}\r\n${text}` : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `${[command.name, ...words].join(' ')}\r\n`;
}
