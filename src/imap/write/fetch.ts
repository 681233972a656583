/**
 * FETCH answers (RFC 9051 §7.5.2). What the index holds is written by a renderer compiled once per command from its items;
 * sections, which need the message, are put between by the command.
 */

import { bodyFromStructure } from '../../mime/message.ts';
import {
  NARROW_COLUMNS,
  type NarrowRow,
  type PartColumn,
  type PartColumns,
  type WideRow,
} from '../../store/border.ts';
import type { FetchField } from '../parse/command.ts';
import { internaldate } from './date.ts';
import type { FlagWriter } from './flags.ts';

/** What writing fields needs to know beside the row. */
export interface FetchContext {
  readonly flags: FlagWriter;
  /** Whether this session is the one that shows the message as \Recent. */
  readonly recent: (uid: number) => boolean;
  /** Zone of INTERNALDATE at this time (unix seconds): minutes east of Greenwich. */
  readonly zone: (seconds: number) => number;
}

/** A row as FETCH needs it: narrow unless something is asked for that stands in columns of the part. */
export type FetchRow = NarrowRow | WideRow;

/** Columns of the part beside a narrow row, in the order in which they stand there. */
export type RowColumns = readonly PartColumn[];

/** The value of a column of a row that was read with `columns`. */
export function columnReader<Column extends PartColumn>(
  columns: RowColumns,
  column: Column,
): (row: FetchRow) => PartColumns[Column] {
  const at = NARROW_COLUMNS + columns.indexOf(column);
  if (at < NARROW_COLUMNS) throw new Error(`the rows have no ${column}`);
  return (row) => row[at] as PartColumns[Column];
}

/** The items of one message without parentheses, as `UID 7 FLAGS (\Seen)`. */
export type FieldRenderer = (row: FetchRow) => string;

/** The columns of the part that fields are written from. */
export function fieldColumns(fields: readonly FetchField[]): PartColumn[] {
  const columns: PartColumn[] = [];
  if (fields.some(({ field }) => field === 'ENVELOPE')) columns.push('envelope');
  if (fields.some(({ field }) => field === 'BODY' || field === 'BODYSTRUCTURE')) {
    columns.push('bodystructure');
  }
  return columns;
}

/** Compiles the fields of a FETCH for rows with `columns`, among them those `fieldColumns` names. */
export function fieldRenderer(
  fields: readonly FetchField[],
  context: FetchContext,
  columns: RowColumns = [],
): FieldRenderer {
  const renderers = fields.map(({ field }) => renderer(field, context, columns));
  const [first, second, third] = renderers;
  // The common shapes without a loop: UID and FLAGS of ten thousand messages is the most frequent command there is.
  if (first === undefined) return () => '';
  if (second === undefined) return first;
  if (third === undefined) return (row) => `${first(row)} ${second(row)}`;
  return (row) => {
    let line = first(row);
    for (let i = 1; i < renderers.length; i++) line += ` ${(renderers[i] as FieldRenderer)(row)}`;
    return line;
  };
}

function renderer(field: FetchField['field'], context: FetchContext, columns: RowColumns): FieldRenderer {
  const { flags, recent, zone } = context;
  switch (field) {
    case 'UID':
      return (row) => `UID ${row[0]}`;
    case 'FLAGS':
      return (row) => `FLAGS ${flags.list(row[1], row[2], recent(row[0]))}`;
    case 'MODSEQ':
      return (row) => `MODSEQ (${row[3]})`;
    case 'RFC822.SIZE':
      return (row) => `RFC822.SIZE ${row[4]}`;
    case 'INTERNALDATE':
      return (row) => `INTERNALDATE ${internaldate(row[5], zone(row[5]))}`;
    case 'ENVELOPE': {
      const envelope = columnReader(columns, 'envelope');
      return (row) => `ENVELOPE ${envelope(row)}`;
    }
    case 'BODYSTRUCTURE': {
      const bodystructure = columnReader(columns, 'bodystructure');
      return (row) => `BODYSTRUCTURE ${bodystructure(row)}`;
    }
    case 'BODY': {
      const bodystructure = columnReader(columns, 'bodystructure');
      return (row) => `BODY ${bodyFromStructure(bodystructure(row))}`;
    }
  }
}

/** `* 12 FETCH (items)` with its line end. */
export function fetchLine(sequence: number, items: string): string {
  return `* ${sequence} FETCH (${items})\r\n`;
}

/** The beginning of a section's answer: `BODY[] {n}` and line end; the n bytes follow. */
export function sectionStart(label: string, size: number): string {
  return `${label} {${size}}\r\n`;
}

/** The beginning of BINARY's answer: a literal8 where the bytes hold NUL (RFC 9051 §4.3.1, §7.5.2). */
export function binaryStart(label: string, size: number, hasNul: boolean): string {
  return `${label} ${hasNul ? '~' : ''}{${size}}\r\n`;
}

/** A section that is not there (RFC 9051 §7.5.2: NIL). */
export function sectionMissing(label: string): string {
  return `${label} NIL`;
}
