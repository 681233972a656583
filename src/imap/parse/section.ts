/** Sections of FETCH items: `[1.2.HEADER.FIELDS (From)]<0.1024>` (RFC 9051 §6.4.5 and §9 section). */

import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { FetchSection, Partial } from './command.ts';
import type { Lexer } from './lexer.ts';

/** A section as read, with the form in which the answer repeats it, brackets included. */
export interface Section {
  readonly part: readonly number[];
  readonly text: FetchSection['text'];
  readonly fields: readonly string[];
  readonly label: string;
}

const CLOSE_BRACKET = 0x5d;
const SECTIONS = 'HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME of a part or a part number';

/** Header field names: printable ASCII but the colon (RFC 5322 §3.6.8). */
const FIELD_NAME = /^[\x21-\x39\x3b-\x7e]+$/;
/** Those that need no quoting in the answer. */
const PLAIN_NAME = /^[A-Za-z0-9-]+$/;

/** `section = "[" [section-spec] "]"` */
export function parseSection(lexer: Lexer): Section {
  lexer.char('[');
  const part = parsePart(lexer);
  if (lexer.take(']')) return { part, text: '', fields: [], label: `[${part.join('.')}]` };
  // parsePart took the dot behind the numbers.
  const start = lexer.position;
  const text = lexer.itemName('the name of a section');
  const prefix = part.length === 0 ? '' : `${part.join('.')}.`;
  switch (text) {
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT': {
      lexer.space();
      const names = lexer.list('header field names', () => parseFieldName(lexer));
      if (names.length === 0) throw lexer.expected('a header field name in the parentheses');
      lexer.char(']');
      const written = names.map((name) =>
        PLAIN_NAME.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
      );
      const fields = names.map((name) => name.toLowerCase());
      return { part, text, fields, label: `[${prefix}${text} (${written.join(' ')})]` };
    }
    case 'MIME':
      // Only a part has a MIME header of its own (RFC 9051 §6.4.5).
      if (part.length === 0) throw lexer.expected(SECTIONS, start);
      break;
    case 'HEADER':
    case 'TEXT':
      break;
    default:
      throw lexer.expected(SECTIONS, start);
  }
  lexer.char(']');
  return { part, text, fields: [], label: `[${prefix}${text}]` };
}

/** `section-binary = "[" [section-part] "]"` */
export function parseBinarySection(lexer: Lexer): number[] {
  lexer.char('[');
  const part = parsePart(lexer);
  lexer.char(']');
  return part;
}

/** `partial = "<" number64 "." nz-number64 ">"`, or null where none stands here. */
export function parsePartial(lexer: Lexer): Partial | null {
  if (!lexer.take('<')) return null;
  const offset = lexer.number64('an offset');
  lexer.char('.');
  const length = lexer.number64('a length');
  if (length === 0) throw syntaxError('the length of a partial fetch must not be 0');
  lexer.char('>');
  return { offset, length };
}

/** `nz-number *("." nz-number)` and a dot before a name; empty where none stands here. */
function parsePart(lexer: Lexer): number[] {
  const part: number[] = [];
  while (lexer.isDigit()) {
    const number = lexer.number('a part number');
    if (number === 0) throw syntaxError('part numbers begin at 1');
    part.push(number);
    if (part.length > limits.mime_depth.value) throw syntaxError('there are no parts that deep');
    // A dot leads on to something; without one this is the end.
    const more = lexer.take('.');
    if (more === (lexer.peek() === CLOSE_BRACKET)) throw lexer.expected(more ? SECTIONS : '"." or "]"');
  }
  return part;
}

function parseFieldName(lexer: Lexer): string {
  const name = lexer.astring('a header field name');
  if (!FIELD_NAME.test(name)) throw syntaxError('that is no name of a header field');
  return name;
}
