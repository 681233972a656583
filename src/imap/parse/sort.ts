/** SORT, THREAD and their UID forms (RFC 5256 §5). */

import type { SortCriterion, SortKey } from '../sort/criterion.ts';
import type { SearchKey } from '../search/key.ts';
import type { SortCommand, ThreadCommand } from './command.ts';
import type { Lexer } from './lexer.ts';
import { parseProgram } from './search.ts';
import { charsetDecoder } from './text.ts';

const KEYS: ReadonlyMap<string, SortKey> = new Map(
  (['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO'] as const).map((key) => [key, key]),
);

/** `sort = "SORT" SP "(" sort-criterion *(SP sort-criterion) ")" SP search-criteria` */
export function parseSort(lexer: Lexer, uid: boolean): SortCommand {
  lexer.space();
  const start = lexer.position;
  const criteria = lexer.list('sort criteria', () => parseCriterion(lexer));
  if (criteria.length === 0) throw lexer.expected('at least one sort criterion', start);
  return { name: 'SORT', uid, criteria, key: parseCriteria(lexer) };
}

/** `thread = "THREAD" SP thread-alg SP search-criteria` */
export function parseThread(lexer: Lexer, uid: boolean): ThreadCommand {
  lexer.space();
  const start = lexer.position;
  const algorithm = lexer.word('a threading algorithm');
  if (algorithm !== 'ORDEREDSUBJECT' && algorithm !== 'REFERENCES') {
    throw lexer.expected('ORDEREDSUBJECT or REFERENCES', start);
  }
  return { name: 'THREAD', uid, algorithm, key: parseCriteria(lexer) };
}

/** `sort-criterion = ["REVERSE" SP] sort-key` */
function parseCriterion(lexer: Lexer): SortCriterion {
  const reverse = lexer.takeWord('REVERSE');
  if (reverse) lexer.space();
  const start = lexer.position;
  const key = KEYS.get(lexer.word('a sort criterion'));
  if (key === undefined) {
    throw lexer.expected(`ARRIVAL, CC, DATE, FROM, SIZE, SUBJECT${reverse ? '' : ', REVERSE'} or TO`, start);
  }
  return { key, reverse };
}

/** `search-criteria = charset 1*(SP search-key)`: unlike in SEARCH the character set must be named. */
function parseCriteria(lexer: Lexer): SearchKey {
  lexer.space();
  const decode = charsetDecoder(lexer.astring('the name of a character set'));
  lexer.space();
  return parseProgram(lexer, decode);
}
