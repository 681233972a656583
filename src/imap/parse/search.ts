/** SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731, RFC 7162 §3.1.5, RFC 8514). */

import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { DateCompare, DateField, SearchKey } from '../search/key.ts';
import type { SearchCommand, SearchReturn } from './command.ts';
import { type Lexer, tooDeep } from './lexer.ts';
import { type CharsetDecoder, charsetDecoder } from './text.ts';

/** `search = "SEARCH" [SP "RETURN" SP "(" [options] ")"] SP ["CHARSET" SP charset SP] search-key *(SP search-key)` */
export function parseSearch(lexer: Lexer, uid: boolean): SearchCommand {
  const returns = lexer.takeSpaceAndWord('RETURN') ? parseReturn(lexer) : null;
  lexer.space();
  let charset = 'utf-8';
  if (lexer.takeWord('CHARSET')) {
    lexer.space();
    charset = lexer.astring('the name of a character set');
    lexer.space();
  }
  return { name: 'SEARCH', uid, returns, key: parseProgram(lexer, charsetDecoder(charset)) };
}

/** RETURN () is RETURN (ALL); SAVE alone asks for no answer (RFC 9051 §6.4.4). */
function parseReturn(lexer: Lexer): SearchReturn {
  lexer.space();
  const words = lexer.list('result options', () => {
    const start = lexer.position;
    const word = lexer.word('a result option');
    if (!['MIN', 'MAX', 'ALL', 'COUNT'].includes(word) && !(word === 'SAVE' && lexer.mode.searchres)) {
      throw lexer.expected(`MIN, MAX, ALL${lexer.mode.searchres ? ', COUNT or SAVE' : ' or COUNT'}`, start);
    }
    return word;
  });
  return {
    min: words.includes('MIN'),
    max: words.includes('MAX'),
    all: words.includes('ALL') || words.length === 0,
    count: words.includes('COUNT'),
    save: words.includes('SAVE'),
  };
}

/** What is open while keys are read: the parser keeps its own stack, so no input can exhaust the engine's. */
type Frame =
  | { readonly open: 'and'; readonly keys: SearchKey[]; readonly parenthesis: boolean }
  | { readonly open: 'not' }
  | { readonly open: 'or'; left: SearchKey | undefined };

/** `search-key *(SP search-key)` up to the end of the command. */
export function parseProgram(lexer: Lexer, decode: CharsetDecoder): SearchKey {
  const stack: Frame[] = [{ open: 'and', keys: [], parenthesis: false }];
  let nodes = 0;
  while (true) {
    if (++nodes > limits.imap_search_nodes.value) {
      throw syntaxError(`${lexer.name}: at most ${limits.imap_search_nodes.value} keys`);
    }
    if (stack.length > limits.imap_depth.value) throw tooDeep();
    if (lexer.take('(')) {
      stack.push({ open: 'and', keys: [], parenthesis: true });
      continue;
    }
    if (lexer.takeWord('NOT')) {
      stack.push({ open: 'not' });
      lexer.space();
      continue;
    }
    if (lexer.takeWord('OR')) {
      stack.push({ open: 'or', left: undefined });
      lexer.space();
      continue;
    }
    const whole = close(lexer, stack, parseKey(lexer, decode));
    if (whole !== undefined) return whole;
  }
}

/** Puts a finished key into what is open, closing what it completes. The whole program once that is complete. */
function close(lexer: Lexer, stack: Frame[], key: SearchKey): SearchKey | undefined {
  let done = key;
  while (true) {
    const frame = stack.at(-1);
    if (frame === undefined) return done;
    if (frame.open === 'not') {
      done = { key: 'not', of: done };
    } else if (frame.open === 'or') {
      if (frame.left === undefined) {
        frame.left = done;
        lexer.space();
        return undefined;
      }
      done = { key: 'or', left: frame.left, right: done };
    } else {
      frame.keys.push(done);
      if (frame.parenthesis ? !lexer.take(')') : !lexer.atEndAfterSpaces()) {
        lexer.space();
        return undefined;
      }
      done = frame.keys.length === 1 ? done : { key: 'and', keys: frame.keys };
    }
    stack.pop();
  }
}

/** Keys that are one word, with what they mean. */
const WORDS: Readonly<Record<string, SearchKey>> = {
  ALL: { key: 'all' },
  ANSWERED: { key: 'flag', flag: '\\Answered', on: true },
  DELETED: { key: 'flag', flag: '\\Deleted', on: true },
  DRAFT: { key: 'flag', flag: '\\Draft', on: true },
  FLAGGED: { key: 'flag', flag: '\\Flagged', on: true },
  SEEN: { key: 'flag', flag: '\\Seen', on: true },
  UNANSWERED: { key: 'flag', flag: '\\Answered', on: false },
  UNDELETED: { key: 'flag', flag: '\\Deleted', on: false },
  UNDRAFT: { key: 'flag', flag: '\\Draft', on: false },
  UNFLAGGED: { key: 'flag', flag: '\\Flagged', on: false },
  UNSEEN: { key: 'flag', flag: '\\Seen', on: false },
  RECENT: { key: 'recent', on: true },
  OLD: { key: 'recent', on: false },
  NEW: { key: 'and', keys: [{ key: 'recent', on: true }, { key: 'flag', flag: '\\Seen', on: false }] },
  // RFC 8514 §4.3: whether the mailbox keeps save dates, which all of ours do.
  SAVEDATESUPPORTED: { key: 'all' },
};

const DATES: Readonly<Record<string, readonly [DateField, DateCompare]>> = {
  BEFORE: ['internal', 'before'],
  ON: ['internal', 'on'],
  SINCE: ['internal', 'since'],
  SENTBEFORE: ['sent', 'before'],
  SENTON: ['sent', 'on'],
  SENTSINCE: ['sent', 'since'],
  SAVEDBEFORE: ['saved', 'before'],
  SAVEDON: ['saved', 'on'],
  SAVEDSINCE: ['saved', 'since'],
};

/** One key that holds no other. */
function parseKey(lexer: Lexer, decode: CharsetDecoder): SearchKey {
  if (lexer.isSequenceSet()) return { key: 'seq', set: lexer.sequenceSet() };
  const start = lexer.position;
  const word = lexer.word('a search key');
  const simple = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (simple !== undefined) return simple;
  const date = Object.hasOwn(DATES, word) ? DATES[word] : undefined;
  if (date !== undefined) {
    lexer.space();
    return { key: 'date', field: date[0], compare: date[1], day: lexer.date() };
  }
  const string = (): string => {
    lexer.space();
    return decode(lexer.astring('a string'));
  };
  switch (word) {
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'BCC':
    case 'SUBJECT':
      return { key: 'envelope', field: word.toLowerCase(), text: string() };
    case 'HEADER': {
      lexer.space();
      const field = lexer.astring('the name of a header field').toLowerCase();
      return { key: 'header', field, text: string() };
    }
    case 'BODY':
      return { key: 'body', text: string() };
    case 'TEXT':
      return { key: 'text', text: string() };
    case 'KEYWORD':
    case 'UNKEYWORD':
      lexer.space();
      return { key: 'flag', flag: lexer.flag(), on: word === 'KEYWORD' };
    case 'LARGER':
    case 'SMALLER':
      lexer.space();
      return {
        key: 'size',
        compare: word === 'LARGER' ? 'larger' : 'smaller',
        bytes: lexer.number64('a size'),
      };
    case 'UID':
      lexer.space();
      return { key: 'uid', set: lexer.sequenceSet() };
    case 'MODSEQ':
      return { key: 'modseq', modseq: parseModseq(lexer) };
    default:
      throw lexer.expected('a search key', start);
  }
}

/** `[SP entry-name SP entry-type-req] SP mod-sequence-valzer`: there is one modseq per message, so the entry is read over. */
function parseModseq(lexer: Lexer): number {
  lexer.space();
  if (lexer.peek() === 0x22) {
    lexer.string('the name of an entry');
    lexer.space();
    if (!lexer.takeWord('PRIV') && !lexer.takeWord('SHARED') && !lexer.takeWord('ALL')) {
      throw lexer.expected('priv, shared or all');
    }
    lexer.space();
  }
  return lexer.number64('a modseq');
}
