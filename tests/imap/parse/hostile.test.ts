/** Input nobody sends by accident: each group is a hazard known from other servers. */

import { describe, expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import { parseCommand } from '../../../src/imap/parse/parse.ts';
import { AUTHENTICATED_LIMITS, PREAUTH_LIMITS } from '../../../src/imap/parse/received.ts';
import { limits } from '../../../src/limits.ts';
import { Client, receive } from './client.ts';

const MODE = { utf8: false, searchres: true };

function parse(text: string): unknown {
  const { commands, events } = receive(`${text}\r\n`);
  const command = commands[0];
  if (command === undefined || commands.length !== 1) throw new Error(`not one command: ${events.join()}`);
  return parseCommand(command, MODE);
}

/** The error a command ends with. */
function failure(text: string): MailError {
  try {
    parse(text);
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown;
    throw thrown;
  }
  throw new Error('it was accepted');
}

describe('endless lines', () => {
  for (const [state, bounds] of Object.entries({ before: PREAUTH_LIMITS, after: AUTHENTICATED_LIMITS })) {
    test(`${state} login: refused at the limit, little is held`, () => {
      const client = new Client(bounds).send('a1 login ');
      for (let i = 0; i < 1000; i++) client.send('x'.repeat(1000));
      expect(client.outcome.events).toEqual(
        state === 'before' ? ['refused a1 toobig', 'fatal'] : ['refused a1 toobig'],
      );
      expect(client.held).toBeLessThanOrEqual(bounds.line + 1000);
      client.send('\r\na2 noop\r\n');
      expect(client.outcome.events.at(-1)).toBe('command a2');
    });

    test(`${state} login: a line of just the limit is taken, one byte more is not`, () => {
      const fits = 'a1 noop '.padEnd(bounds.line - 1, 'x');
      expect(receive(`${fits}\r\n`, bounds).events).toEqual(['command a1']);
      expect(receive(`${fits}yy\r\n`, bounds).events[0]).toBe('refused a1 toobig');
    });
  }

  test('a line without a tag is refused without one', () => {
    expect(receive('x'.repeat(100_000) + '\r\n').events).toEqual(['refused null toobig']);
  });
});

describe('literals', () => {
  test('too big: refused before the continuation', () => {
    const most = limits.imap_literal.value;
    expect(receive(`a1 login x {${most + 1}}\r\na2 noop\r\n`).events).toEqual([
      'refused a1 toobig',
      'command a2',
    ]);
    expect(receive(`a1 login x {${most}}\r\n`).events).toEqual(['continue']);
    expect(receive(`a1 login x {${limits.imap_literal_preauth.value + 1}}\r\n`, PREAUTH_LIMITS).events)
      .toEqual(['refused a1 toobig']);
  });

  test('many small ones are counted (CVE-2024-34055)', () => {
    const most = limits.imap_literals.value;
    const many = 'a1 search' + ' text {1+}\r\nx'.repeat(most);
    expect(receive(`${many}\r\n`).events).toEqual(['command a1']);
    expect(receive(`${many} text {1+}\r\nx or {3+}\r\nabc\r\na2 noop\r\n`).events)
      .toEqual(['refused a1 toobig', 'command a2']);
  });

  test('their bytes are added up', () => {
    const half = limits.imap_literal.value / 2;
    const literal = `text {${half}+}\r\n${'x'.repeat(half)} `;
    expect(receive(`a1 search ${literal}${literal}text {1}\r\na2 noop\r\n`).events)
      .toEqual(['refused a1 toobig', 'command a2']);
  });

  test('the lines between them are added up', () => {
    const line = ` ${'x'.repeat(60_000)} {1+}\r\ny`;
    expect(receive(`a1 search${line.repeat(6)}\r\na2 noop\r\n`).events).toEqual([
      'refused a1 toobig',
      'command a2',
    ]);
  });

  test.each([
    ['{4294967295}', 'refused a1 toobig'],
    ['{9007199254740993}', 'refused a1 toobig'],
    ['{99999999999999999999999999}', 'refused a1 toobig'],
    ['{-1}', 'command a1'],
    ['{9e9}', 'command a1'],
    ['{1+1}', 'command a1'],
    ['{ 1}', 'command a1'],
    ['{}', 'command a1'],
    ['{+}', 'command a1'],
    ['{0}', 'continue'],
  ])('the size %s', (size, event) => {
    expect(receive(`a1 login x ${size}\r\n`).events).toEqual([event]);
  });

  test('what only looks like a literal is a syntax error', () => {
    for (const size of ['{-1}', '{9e9}', '{1+1}', '{ 1}', '{}', '{+}', '{1', '~{1', '{1}x']) {
      expect(failure(`a1 login x ${size}`).kind).toBe('syntax');
    }
  });

  test('a size that cannot be followed ends the connection', () => {
    expect(receive('a1 login x {9007199254740993+}\r\n').events).toEqual(['refused a1 toobig', 'fatal']);
  });

  test('of a refused command are dropped to the byte and never read as commands', () => {
    const smuggled = 'a9 delete INBOX\r\n';
    const literal = `{${smuggled.length}+}\r\n${smuggled}`;
    const refusals = [
      `(bad ${literal}\r\n`,
      `a1 noop\0 ${literal} ${literal}\r\n`,
      `a1 noop\rx ${literal}\r\n`,
      `a1 noop ${'x'.repeat(70_000)}${literal} more ${literal}\r\n`,
      `${'t'.repeat(200)} noop ${literal}\r\n`,
    ];
    for (const text of refusals) {
      const { events } = receive(`${text}a2 noop\r\n`);
      expect(events.map((event) => event.split(' ')[0])).toEqual(['refused', 'command']);
      expect(events[1]).toBe('command a2');
    }
    const big = `{${200_000}+}\r\n${smuggled.padEnd(200_000, 'a9 noop\r\n')}`;
    expect(receive(`a1 login x ${big}\r\na2 noop\r\n`).events).toEqual(['refused a1 toobig', 'command a2']);
  });

  test('of an unknown command or a wrong one are consumed before it is parsed', () => {
    expect(receive('a1 xyzzy {9+}\r\na9 noop\r\n\r\na2 noop\r\n').events).toEqual([
      'command a1',
      'command a2',
    ]);
  });

  test('NUL inside is refused, except in a message', () => {
    expect(failure('a1 login x {3+}\r\na\0b').message).toContain('NUL');
    expect(failure('a1 login x ~{3+}\r\na\0b').message).toContain('~{n}');
  });
});

describe('bytes that do not belong into a line', () => {
  test.each([
    ['a1 no\0op', 'refused a1 badsyntax'],
    ['a1 noop\rx', 'refused a1 badsyntax'],
    ['a\x80 noop', 'refused null badsyntax'],
    ['+ noop', 'refused null badsyntax'],
    ['a+b noop', 'refused null badsyntax'],
    ['* noop', 'refused null badsyntax'],
    ['a"b noop', 'refused null badsyntax'],
    [' noop', 'refused null badsyntax'],
    ['noop', 'refused noop badsyntax'],
    ['a1  noop', 'refused a1 badsyntax'],
    ['a1 ', 'refused a1 badsyntax'],
    ['a1 n\u00f6op', 'refused a1 badsyntax'],
    ['\x16\x03\x01\x02', 'refused null badsyntax'],
  ])('%j', (line, event) => {
    expect(receive(`${line}\r\na2 noop\r\n`).events).toEqual([event, 'command a2']);
  });

  test('a tag has its length', () => {
    const most = limits.imap_tag.value;
    expect(receive(`${'t'.repeat(most)} noop\r\n`).events).toEqual([`command ${'t'.repeat(most)}`]);
    expect(receive(`${'t'.repeat(most + 1)} noop\r\n`).events).toEqual(['refused null badsyntax']);
    expect(receive(`${'t'.repeat(8000)} noop\r\n`).events).toEqual(['refused null badsyntax']);
  });

  test('8-bit characters in atoms', () => {
    expect(failure('a1 select B\u00fccher').kind).toBe('syntax');
    expect(failure('a1 select "B\u00fccher"').code).toBe('cannot');
    expect(failure('a1 store 1 flags \u00fc').kind).toBe('syntax');
  });

  test('errors never repeat raw bytes', () => {
    for (const line of ['select \x1b[2J', 'select \u009b', 'fetch 1 <script>', 'login \x7f']) {
      expect(failure(`a1 ${line}`).message).toMatch(/^[\x20-\x7e]*$/);
    }
  });
});

describe('nesting', () => {
  const deep = limits.imap_depth.value;
  test('parentheses, NOT and OR of SEARCH', () => {
    for (
      const [open, key, close] of [['(', 'seen', ')'], ['not ', 'seen', ''], [
        'or seen ',
        'seen',
        '',
      ]] as const
    ) {
      const nested = (depth: number) => `a1 search ${open.repeat(depth)}${key}${close.repeat(depth)}`;
      expect(parse(nested(deep - 1))).toMatchObject({ name: 'SEARCH' });
      expect(failure(nested(deep)).message).toContain('nested');
      expect(failure(nested(7000)).kind).toBe('syntax');
    }
  });

  test('lists in lists elsewhere', () => {
    const parens = '('.repeat(30_000);
    for (
      const command of [
        'list',
        'fetch 1',
        'store 1 flags',
        'select x',
        'status x',
        'id',
        'create x',
        'setquota x',
      ]
    ) {
      expect(failure(`a1 ${command} ${parens}`).kind).toBe('syntax');
    }
    expect(failure(`a1 fetch 1 body[header.fields ${parens}]`).kind).toBe('syntax');
    expect(failure(`a1 fetch 1 body[${'1.'.repeat(20_000)}1]`).kind).toBe('syntax');
  });
});

describe('floods in one command', () => {
  test('keys of a SEARCH', () => {
    const most = limits.imap_search_nodes.value;
    expect(parse(`a1 search${' seen'.repeat(most)}`)).toMatchObject({ name: 'SEARCH' });
    expect(failure(`a1 search${' seen'.repeat(most + 1)}`).message).toContain('at most');
    expect(failure(`a1 search${' or seen unseen'.repeat(most)}`).message).toContain('at most');
  });

  test('elements of a set', () => {
    const set = (count: number) => Array.from({ length: count }, (_unused, index) => index % 9 + 1).join(',');
    expect(parse(`a1 fetch ${set(limits.imap_sequence_elements.value)} uid`)).toMatchObject({
      name: 'FETCH',
    });
    expect(failure(`a1 fetch ${set(limits.imap_sequence_elements.value + 1)} uid`).message).toContain(
      'at most',
    );
    expect(parse(`a1 fetch ${'1:*,'.repeat(9000)}1:* uid`)).toMatchObject({ name: 'FETCH' });
  });

  test('items of a list', () => {
    const most = limits.imap_list_items.value;
    expect(failure(`a1 store 1 flags (${'x '.repeat(most)}x)`).message).toContain('at most');
    expect(failure(`a1 store 1 flags${' x'.repeat(most + 1)}`).message).toContain('at most');
    expect(failure(`a1 fetch 1 (${'uid '.repeat(most)}uid)`).message).toContain('at most');
    expect(failure(`a1 list "" (${'x '.repeat(most)}x)`).message).toContain('at most');
    expect(failure(`a1 enable${' x'.repeat(most + 1)}`).message).toContain('at most');
  });

  test('fields of an ID (RFC 2971 §3.3)', () => {
    const pair = '"name" "value" ';
    const most = limits.imap_id_params.value;
    expect(parse(`a1 id (${pair.repeat(most).trim()})`)).toMatchObject({ name: 'ID' });
    expect(failure(`a1 id (${pair.repeat(most + 1).trim()})`).message).toContain('at most');
    expect(failure(`a1 id ("${'n'.repeat(limits.imap_id_field.value + 1)}" NIL)`).message).toContain(
      'at most',
    );
    expect(failure(`a1 id ("n" "${'v'.repeat(limits.imap_id_value.value + 1)}")`).message).toContain(
      'at most',
    );
  });

  test('the longest ID there may be comes through before login', () => {
    const pair = `"${'n'.repeat(limits.imap_id_field.value)}" "${'v'.repeat(limits.imap_id_value.value)}"`;
    const command = `a1 id (${Array(limits.imap_id_params.value).fill(pair).join(' ')})`;
    expect(receive(`${command}\r\n`, PREAUTH_LIMITS).events).toEqual(['command a1']);
    expect(parse(command)).toMatchObject({ name: 'ID' });
  });
});

describe('mailbox names', () => {
  test('in modified UTF-7 that is not canonical cannot be', () => {
    for (const name of ['&', '&AGE-', '&U,BT-&Fw-', '&2D0-']) {
      expect(failure(`a1 select "${name}"`)).toMatchObject({ kind: 'user', code: 'cannot' });
    }
  });

  test('as a pattern they match nothing', () => {
    expect(parse('a1 list "" "&AGE-*"')).toMatchObject({ patterns: [] });
    expect(parse('a1 list "&AGE-" "*"')).toMatchObject({ patterns: [] });
    expect(parse('a1 list "" ("&AGE-*" "x*")')).toMatchObject({ patterns: ['x*'] });
  });

  test.each([
    ['over-long', '\xc0\xaf'],
    ['a surrogate', '\xed\xa0\xbd'],
    ['beyond Unicode', '\xf4\x90\x80\x80'],
    ['cut off', '\xe5\x8f'],
    ['a control character', '\x01'],
    ['a C1 control', '\xc2\x9b'],
  ])('in UTF-8 that is %s cannot be', (_what, name) => {
    const { commands } = receive(`a1 select "${name}"\r\n`);
    const command = commands[0];
    expect(command).toBeDefined();
    if (command === undefined) return;
    expect(() => parseCommand(command, { utf8: true, searchres: true })).toThrow(MailError);
  });
});

test('a modseq is at most 2^63 - 1 (RFC 7162 §7)', () => {
  expect(parse('a1 fetch 1 flags (changedsince 9223372036854775807)'))
    .toMatchObject({ changedSince: Number.MAX_SAFE_INTEGER });
  expect(failure('a1 fetch 1 flags (changedsince 9223372036854775808)').message).toContain('2^63');
  expect(failure(`a1 store 1 (unchangedsince ${'9'.repeat(5000)}) flags x`).message).toContain('2^63');
});
