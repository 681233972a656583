/** FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 3501 §6.4.5, RFC 3516, RFC 7162 §3.1.4). */

import type { FetchCommand, FetchField, FetchItem } from './command.ts';
import type { Lexer } from './lexer.ts';
import { parseBinarySection, parsePartial, parseSection } from './section.ts';

/** Macros stand alone, outside parentheses (RFC 9051 §6.4.5). */
const MACROS: Readonly<Record<string, readonly FetchField['field'][]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
};

/** `fetch = "FETCH" SP sequence-set SP (macro / fetch-att / "(" fetch-att *(SP fetch-att) ")") [SP modifiers]` */
export function parseFetch(lexer: Lexer, uid: boolean): FetchCommand {
  lexer.space();
  const set = lexer.sequenceSet();
  lexer.space();
  const asked = parseItems(lexer);
  const changedSince = parseModifiers(lexer);
  // RFC 9051 §6.4.9: a UID FETCH is answered with the UID. RFC 7162 §3.1.4.1: CHANGEDSINCE implies MODSEQ.
  if (uid) asked.unshift(field('UID'));
  if (changedSince !== null) asked.push(field('MODSEQ'));
  return { name: 'FETCH', uid, set, items: onceEach(asked), changedSince };
}

function parseItems(lexer: Lexer): FetchItem[] {
  for (const macro in MACROS) {
    if (lexer.takeWord(macro)) return (MACROS[macro] ?? []).map(field);
  }
  if (lexer.peek() !== 0x28) return [parseItem(lexer)];
  const items = lexer.list('data items', () => parseItem(lexer));
  if (items.length === 0) throw lexer.expected('a data item in the parentheses');
  return items;
}

/** `fetch-att` */
function parseItem(lexer: Lexer): FetchItem {
  const start = lexer.position;
  const name = lexer.itemName('a data item');
  switch (name) {
    case 'UID':
    case 'FLAGS':
    case 'INTERNALDATE':
    case 'RFC822.SIZE':
    case 'ENVELOPE':
    case 'BODYSTRUCTURE':
    case 'MODSEQ':
      return field(name);
    case 'RFC822':
      return { kind: 'section', label: name, part: [], text: '', fields: [], peek: false, partial: null };
    case 'RFC822.HEADER':
      return {
        kind: 'section',
        label: name,
        part: [],
        text: 'HEADER',
        fields: [],
        peek: true,
        partial: null,
      };
    case 'RFC822.TEXT':
      return { kind: 'section', label: name, part: [], text: 'TEXT', fields: [], peek: false, partial: null };
    case 'BODY':
      return lexer.peek() === 0x5b ? parseBody(lexer, false) : field(name);
    case 'BODY.PEEK':
      return parseBody(lexer, true);
    case 'BINARY':
    case 'BINARY.PEEK': {
      const part = parseBinarySection(lexer);
      const partial = parsePartial(lexer);
      const label = `BINARY[${part.join('.')}]${partial === null ? '' : `<${partial.offset}>`}`;
      return { kind: 'binary', label, part, peek: name === 'BINARY.PEEK', partial };
    }
    case 'BINARY.SIZE': {
      const part = parseBinarySection(lexer);
      return { kind: 'binarysize', label: `BINARY.SIZE[${part.join('.')}]`, part };
    }
    default:
      throw lexer.expected('a data item', start);
  }
}

/** `"BODY" section [partial]`; the answer names the offset but not the length (RFC 9051 §7.5.2). */
function parseBody(lexer: Lexer, peek: boolean): FetchItem {
  const { part, text, fields, label } = parseSection(lexer);
  const partial = parsePartial(lexer);
  const origin = partial === null ? '' : `<${partial.offset}>`;
  return { kind: 'section', label: `BODY${label}${origin}`, part, text, fields, peek, partial };
}

/** `SP "(" "CHANGEDSINCE" SP modseq ")"` */
function parseModifiers(lexer: Lexer): number | null {
  let changedSince: number | null = null;
  if (!lexer.takeSpaceBefore('(')) return null;
  lexer.list('modifiers', () => {
    if (changedSince !== null || !lexer.takeWord('CHANGEDSINCE')) throw lexer.expected('CHANGEDSINCE once');
    lexer.space();
    changedSince = lexer.number64('a modseq');
  });
  return changedSince;
}

function field(name: FetchField['field']): FetchField {
  return { kind: 'field', field: name };
}

/** Items asked for twice are answered once; two partial fetches of one section with one offset are different items. */
function onceEach(items: readonly FetchItem[]): FetchItem[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const length = 'partial' in item && item.partial !== null ? item.partial.length : '';
    const key = item.kind === 'field' ? item.field : `${item.label}${length} ${'peek' in item && item.peek}`;
    return !seen.has(key) && seen.add(key);
  });
}
