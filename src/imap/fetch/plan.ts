/** A FETCH made ready to run: which rows it needs, what is written from them, what has to be read from the message. */

import type {
  FetchBinary,
  FetchBinarySize,
  FetchCommand,
  FetchField,
  FetchSection,
} from '../parse/command.ts';
import type { PartColumn } from '../../store/border.ts';
import { fieldColumns } from '../write/fetch.ts';

/** Items that need the message or its structure. */
export type ContentItem = FetchSection | FetchBinary | FetchBinarySize;

export interface FetchPlan {
  readonly fields: readonly FetchField[];
  readonly content: readonly ContentItem[];
  /** Columns that the rows must have beside the narrow ones. */
  readonly columns: readonly PartColumn[];
  /** One of the items sets \Seen (RFC 9051 §6.4.5). */
  readonly setsSeen: boolean;
  readonly tellsFlags: boolean;
}

/** The order in which Cyrus answers, whatever the order asked: scripts were written against it. */
const ORDER: readonly FetchField['field'][] = [
  'FLAGS',
  'UID',
  'INTERNALDATE',
  'MODSEQ',
  'RFC822.SIZE',
  'ENVELOPE',
  'BODYSTRUCTURE',
  'BODY',
];

export function planFetch(command: FetchCommand): FetchPlan {
  const fields: FetchField[] = [];
  const content: ContentItem[] = [];
  for (const item of command.items) {
    if (item.kind === 'field') fields.push(item);
    else content.push(item);
  }
  fields.sort((a, b) => ORDER.indexOf(a.field) - ORDER.indexOf(b.field));
  return {
    fields,
    content,
    columns: [...fieldColumns(fields), ...contentColumns(content)],
    setsSeen: content.some((item) => item.kind !== 'binarysize' && !item.peek),
    tellsFlags: fields.some(({ field }) => field === 'FLAGS'),
  };
}

/** All of a message, BODY[], is its whole file; anything else needs offsets from the index. */
function contentColumns(content: readonly ContentItem[]): PartColumn[] {
  if (content.length === 0) return [];
  const columns: PartColumn[] = ['place'];
  if (content.some((item) => item.part.length > 0)) columns.push('structure');
  if (content.some((item) => item.part.length === 0 && item.kind === 'section' && item.text !== '')) {
    columns.push('headersize');
  }
  return columns;
}
