/**
 * FETCH lines that the store can put together by itself, because all that is asked for stands in the index as it is sent. What
 * else there is (dates, sections, \Recent, messages expunged meanwhile) is written row by row.
 */

import type { LinePiece, Lines, Mailbox } from '../../store/border.ts';
import { SYSTEM_FLAG_NAMES } from '../../store/flags.ts';
import type { UidSet } from '../../store/uidset.ts';
import type { FetchField } from '../parse/command.ts';
import type { SessionView } from '../view.ts';

/** Fewer messages are not worth the preparations. */
const FEW = 8;

/** The lines of some messages, page by page. */
export class StoredLines {
  readonly #mailbox: Mailbox;
  readonly #view: SessionView;
  readonly #fields: readonly FetchField[];
  readonly #uids: UidSet;
  readonly #possible: boolean;
  #line: readonly LinePiece[] | undefined;
  /** What `#line` was made for. */
  #keywords: readonly string[] = [];

  /** @param recent whether FLAGS show \Recent: those from the first such message on are not for us */
  constructor(
    mailbox: Mailbox,
    view: SessionView,
    uids: UidSet,
    fields: readonly FetchField[],
    recent: boolean,
  ) {
    this.#mailbox = mailbox;
    this.#view = view;
    this.#fields = fields;
    const shown = recent && fields.some(({ field }) => field === 'FLAGS') && !view.recent.isEmpty
      ? view.recent.intersect(uids)
      : null;
    this.#uids = shown === null || shown.isEmpty ? uids : uids.clip(1, shown.min - 1);
    this.#possible = uids.size >= FEW && fields.every(({ field }) => field in PIECES);
  }

  /** Lines above UID `after`, at most `limit`; null where they must be written row by row. */
  next(after: number, limit: number): Lines | null {
    if (!this.#possible) return null;
    const { keywords } = this.#mailbox;
    if (this.#line === undefined || keywords !== this.#keywords) {
      this.#keywords = keywords;
      this.#line = fetchPieces(this.#fields, keywords);
    }
    const lines = this.#mailbox.lines(this.#uids, after, limit, this.#line, this.#view.uids);
    return lines?.count === 0 ? null : lines;
  }
}

/** What stands in the index as it is sent. */
const PIECES: Partial<Record<FetchField['field'], LinePiece>> = {
  UID: 'uid',
  MODSEQ: 'modseq',
  'RFC822.SIZE': 'size',
  ENVELOPE: 'envelope',
  BODYSTRUCTURE: 'bodystructure',
  FLAGS: { flags: SYSTEM_FLAG_NAMES },
};

/** What stands around it, where that is more than a space (RFC 9051 §7.5.2, RFC 7162 §3.1.4). */
const LISTED: ReadonlySet<string> = new Set(['FLAGS', 'MODSEQ']);

function fetchPieces(fields: readonly FetchField[], keywords: readonly string[]): LinePiece[] {
  const line: LinePiece[] = [{ text: '* ' }, 'position'];
  let before = ' FETCH (';
  for (const { field } of fields) {
    const piece = field === 'FLAGS' ? { flags: [...SYSTEM_FLAG_NAMES, ...keywords] } : PIECES[field];
    if (piece === undefined) throw new Error(`${field} is not in the index as it is sent`);
    const listed = LISTED.has(field);
    line.push({ text: `${before}${field} ${listed ? '(' : ''}` }, piece);
    before = listed ? ') ' : ' ';
  }
  line.push({ text: `${before.trimEnd()})\r\n` });
  return line;
}
