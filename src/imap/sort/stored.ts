/** A row as SORT asks about it: its columns, and the stored ENVELOPE, read when a criterion wants it. */

import { baseSubject, decodeHeader } from '../../mime/message.ts';
import { NARROW_COLUMNS, type NarrowRow, type PartColumn, type WideRow } from '../../store/border.ts';
import { readEnvelope, type StoredEnvelope } from '../envelope.ts';
import { sortText } from './collate.ts';
import type { SortCriterion } from './criterion.ts';
import type { SortMessage } from './order.ts';

const DATE_COLUMNS = ['sentdate'] as const;
const TEXT_COLUMNS = ['sentdate', 'envelope'] as const;

/** Columns that have to stand beside the narrow ones. */
export function sortColumns(criteria: readonly SortCriterion[]): readonly PartColumn[] {
  if (criteria.every(({ key }) => key === 'ARRIVAL' || key === 'SIZE')) return [];
  return criteria.every(({ key }) => key === 'ARRIVAL' || key === 'SIZE' || key === 'DATE')
    ? DATE_COLUMNS
    : TEXT_COLUMNS;
}

/** One message of a mailbox, with the columns its criteria need. */
export class StoredSortMessage implements SortMessage {
  readonly uid: number;
  readonly size: number;
  readonly internaldate: number;
  readonly #row: NarrowRow | WideRow;
  #envelope: StoredEnvelope | undefined;

  constructor(row: NarrowRow | WideRow) {
    this.uid = row[0];
    this.size = row[4];
    this.internaldate = row[5];
    this.#row = row;
  }

  /** The Date field in UTC, or the internal date where it is missing or no date (RFC 5256 §2.2). */
  get sent(): number {
    return (this.#row[NARROW_COLUMNS] as number | null) ?? this.internaldate;
  }

  get subject(): string {
    return sortText(baseSubject(decodeHeader(this.#stored.subject ?? '')));
  }

  get from(): string {
    return mailboxText(this.#stored.from);
  }

  get to(): string {
    return mailboxText(this.#stored.to);
  }

  get cc(): string {
    return mailboxText(this.#stored.cc);
  }

  get #stored(): StoredEnvelope {
    return this.#envelope ??= readEnvelope(this.#row[NARROW_COLUMNS + 1] as string);
  }
}

function mailboxText(mailbox: string | null): string {
  return mailbox === null ? '' : sortText(decodeHeader(mailbox));
}
