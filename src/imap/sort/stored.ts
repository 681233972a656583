/** A row as SORT and THREAD ask about it: its columns, and the stored ENVELOPE, read when a criterion wants it. */

import { decodeHeader, parseDate, splitSubject, type SubjectBase } from '../../mime/message.ts';
import { NARROW_COLUMNS, type NarrowRow, type WideRow } from '../../store/border.ts';
import { readEnvelope, type StoredEnvelope } from '../envelope.ts';
import { sortText } from './collate.ts';
import type { SortMessage } from './order.ts';

/** What SORT and THREAD read beside the narrow columns. */
export const SORT_COLUMNS = ['envelope'] as const;

/** A row with or without those. */
export type SortRow = NarrowRow | WideRow<typeof SORT_COLUMNS>;

/** One message of a mailbox. Of a narrow row only UID, internal date and size may be asked. */
export class StoredSortMessage implements SortMessage {
  readonly uid: number;
  readonly size: number;
  readonly internaldate: number;
  readonly #rendered: string;
  #envelope: StoredEnvelope | undefined;

  constructor(row: SortRow) {
    this.uid = row[0];
    this.size = row[4];
    this.internaldate = row[5];
    this.#rendered = row[NARROW_COLUMNS] ?? '';
  }

  get envelope(): StoredEnvelope {
    return this.#envelope ??= readEnvelope(this.#rendered);
  }

  /** The Date field in UTC, or the internal date where it is missing or no date (RFC 5256 §2.2). */
  get sent(): number {
    const { date } = this.envelope;
    return (date === null ? null : parseDate(date))?.seconds ?? this.internaldate;
  }

  get subject(): string {
    return sortText(this.splitSubject().base);
  }

  get from(): string {
    return mailboxText(this.envelope.from);
  }

  get to(): string {
    return mailboxText(this.envelope.to);
  }

  get cc(): string {
    return mailboxText(this.envelope.cc);
  }

  /** The base subject with its case, and whether this is a reply or forward. */
  splitSubject(): SubjectBase {
    return splitSubject(decodeHeader(this.envelope.subject ?? ''));
  }
}

function mailboxText(mailbox: string | null): string {
  return mailbox === null ? '' : sortText(decodeHeader(mailbox));
}
