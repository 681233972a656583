/**
 * Lines of text, one per message, put together by SQLite from constant text and columns: no row, no string and no object
 * per message comes into the program. What the text means is the caller's business.
 */
import type { LinePiece } from '../border.ts';
import { ANSWERED, FIRST_KEYWORD_BIT, FLAGGED, MAX_KEYWORDS, SEEN } from '../flags.ts';
import type { SqlValue } from './statements.ts';

/** A statement and its parameters behind mailbox ?1, UIDs from ?2 to ?3, and what is added to a UID for its position ?4. */
export interface LineQuery {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/** Parameters before those of the pieces. */
const FIRST = 5;

/** Names of keywords are filled up to a multiple of this, so that mailboxes of all kinds share few statements. */
const KEYWORDS = 8;

/**
 * The lines of a range in one value, with their number and their highest modseq. `msg` is the outer loop and read along its
 * key, so they stand in the order of UIDs.
 */
export function lineQuery(line: readonly LinePiece[]): LineQuery {
  const parameters: SqlValue[] = [];
  const bind = (value: string): string => `?${FIRST + parameters.push(value) - 1}`;
  let parts = false;
  const pieces = line.map((piece) => {
    if (typeof piece !== 'string') return 'text' in piece ? bind(piece.text) : flagText(piece.flags, bind);
    switch (piece) {
      case 'uid':
        return 'm.uid';
      case 'position':
        return 'm.uid + ?4';
      case 'modseq':
        return 'm.modseq';
      case 'size':
        return 'm.size';
      case 'envelope':
      case 'bodystructure':
        parts = true;
        return `p.${piece}`;
    }
  });
  const text =
    `SELECT CAST(group_concat(concat(${pieces.join(', ')}), '') AS BLOB), count(*), max(m.modseq) ` +
    `FROM msg m ${parts ? 'CROSS JOIN part p ON p.id = m.part ' : ''}` +
    'WHERE m.mailbox = ?1 AND m.uid BETWEEN ?2 AND ?3 AND ?4 IS NOT NULL';
  return { text, parameters };
}

/** What most messages have: nothing, \\Seen, \\Flagged, \\Answered, and these together. Named at once, not bit by bit. */
const COMMON = [0, SEEN, FLAGGED, SEEN | FLAGGED, SEEN | ANSWERED, SEEN | FLAGGED | ANSWERED];

/** The names of the bits of `flags`, a space between them. */
function flagText(names: readonly string[], bind: (value: string) => string): string {
  const count = Math.min(
    FIRST_KEYWORD_BIT + Math.ceil((names.length - FIRST_KEYWORD_BIT) / KEYWORDS) * KEYWORDS,
    FIRST_KEYWORD_BIT + MAX_KEYWORDS,
  );
  const common = COMMON.map((flags) =>
    `WHEN ${flags} THEN ${
      bind(names.filter((_, bit) => bit < FIRST_KEYWORD_BIT && flags & (1 << bit)).join(' '))
    }`
  );
  const bits = Array.from({ length: count }, (_, bit) => {
    const name = names[bit];
    return `iif(m.flags & ${1n << BigInt(bit)}, ${bind(name === undefined ? '' : ` ${name}`)}, '')`;
  });
  return `CASE m.flags ${common.join(' ')} ELSE substr(concat(${bits.join(', ')}), 2) END`;
}
