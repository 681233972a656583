/**
 * The items of FETCH that come out of the message: BODY[...], BINARY[...], BINARY.SIZE[...] (RFC 9051 §6.4.5).
 *
 * Invariants
 * 1. What can be known to fail is found by `checkContent`, before anything of the answer is written. If reading the file
 *    fails behind that, the caller ends the connection: the client could not tell our error from the message.
 * 2. A message is sent in blocks with a wait for the client between; no body stands in memory whole.
 */

import { serverError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { TransferEncoding } from '../../mime/bodystructure.ts';
import {
  decodeStructure,
  findPart,
  locateSection,
  type Part,
  selectHeaderFields,
} from '../../mime/message.ts';
import type { MessageContent } from '../../store/border.ts';
import type { FetchBinary, FetchBinarySize, FetchSection, Partial } from '../parse/command.ts';
import { CodedError } from '../respond.ts';
import type { Session } from '../session.ts';
import type { ResponseBuffer } from '../write/buffer.ts';
import {
  binaryStart,
  columnReader,
  type FetchRow,
  type RowColumns,
  sectionMissing,
  sectionStart,
} from '../write/fetch.ts';
import { decodedPieces, measure } from './decoded.ts';
import type { ContentItem } from './plan.ts';

/** Bytes of a message read and handed to the connection at a time. */
const BLOCK = 256 * 1024;

/** How the rows of a FETCH tell what its items need; asked only for items that `contentColumns` provided for. */
export interface ContentReaders {
  readonly structure: (row: FetchRow) => Uint8Array;
  readonly headerSize: (row: FetchRow) => number;
}

/** Readers for rows with these columns. */
export function contentReaders(columns: RowColumns): ContentReaders {
  const absent = (): never => {
    throw new Error('the rows lack a column');
  };
  return {
    structure: columns.includes('structure') ? columnReader(columns, 'structure') : absent,
    headerSize: columns.includes('headersize') ? columnReader(columns, 'headersize') : absent,
  };
}

/** Throws where an item cannot be answered: NO [UNKNOWN-CTE], since an unknown encoding cannot be undone (RFC 3516 §4.3). */
export function checkContent(item: ContentItem, row: FetchRow, readers: ContentReaders): void {
  if (item.kind === 'section' || item.part.length === 0) return;
  if (partRange(item.part, readers.structure(row))?.encoding !== null) return;
  throw new CodedError(userError('cannot', 'The encoding of this part is unknown'), 'UNKNOWN-CTE');
}

/** Writes one item of one message, without blanks around it. A promise only where it takes more than one turn. */
export function writeContent(
  session: Session,
  out: ResponseBuffer,
  item: ContentItem,
  row: FetchRow,
  readers: ContentReaders,
  content: MessageContent,
): Promise<void> | void {
  if (item.kind === 'section') return writeSection(session, out, item, row, readers, content);
  return writeBinary(session, out, item, row, readers, content);
}

function writeSection(
  session: Session,
  out: ResponseBuffer,
  item: FetchSection,
  row: FetchRow,
  readers: ContentReaders,
  content: MessageContent,
): Promise<void> | void {
  const range = sectionRange(item, row, readers, content.size);
  if (range === null) {
    out.text(sectionMissing(item.label));
    return;
  }
  if (item.fields.length > 0 || item.text === 'HEADER.FIELDS' || item.text === 'HEADER.FIELDS.NOT') {
    // Fields beyond this bound are not looked at anywhere.
    const header = content.read(
      range.start,
      Math.min(range.end, range.start + limits.mime_header_block.value),
    );
    const fields = selectHeaderFields(header, item.fields, item.text === 'HEADER.FIELDS.NOT');
    const { start, end } = clip({ start: 0, end: fields.length }, item.partial);
    out.text(sectionStart(item.label, end - start)).bytes(fields.subarray(start, end));
    return;
  }
  const { start, end } = clip(range, item.partial);
  out.text(sectionStart(item.label, end - start));
  if (end - start <= BLOCK) copyInto(out, content, start, end);
  else return streamRange(session, out, content, start, end);
}

/** Bytes of a file to where they leave from, without a stop between. */
function copyInto(out: ResponseBuffer, content: MessageContent, start: number, end: number): void {
  if (content.readInto(out.claim(end - start), start) !== end - start) throw cutShort();
}

async function streamRange(
  session: Session,
  out: ResponseBuffer,
  content: MessageContent,
  start: number,
  end: number,
): Promise<void> {
  send(session, out);
  for (let at = start; at < end && !session.closed; at += BLOCK) {
    copyInto(out, content, at, Math.min(end, at + BLOCK));
    send(session, out);
    if (session.due) await session.breathe();
  }
}

/** BINARY and BINARY.SIZE: a part's content as it was before it was encoded for transfer. */
async function writeBinary(
  session: Session,
  out: ResponseBuffer,
  item: FetchBinary | FetchBinarySize,
  row: FetchRow,
  readers: ContentReaders,
  content: MessageContent,
): Promise<void> {
  const range = item.part.length === 0
    ? { start: 0, end: content.size, encoding: '8BIT' as const }
    : partRange(item.part, readers.structure(row));
  if (range === null) {
    // RFC 9051 §9 has no NIL for a size.
    out.text(item.kind === 'binarysize' ? `${item.label} 0` : sectionMissing(item.label));
    return;
  }
  const { start, end } = range;
  const encoding = range.encoding ?? '8BIT';
  const { size, hasNul } = await measure(
    decodedPieces(content, start, end, encoding),
    () => session.due ? session.breathe() : undefined,
  );
  if (item.kind === 'binarysize') {
    out.text(`${item.label} ${size}`);
    return;
  }
  const wanted = clip({ start: 0, end: size }, item.partial);
  out.text(binaryStart(item.label, wanted.end - wanted.start, hasNul));
  await stream(
    session,
    out,
    cutPieces(decodedPieces(content, start, end, encoding), wanted.start, wanted.end),
  );
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The bytes a section means, or null where the message has no such part. */
function sectionRange(
  item: FetchSection,
  row: FetchRow,
  readers: ContentReaders,
  size: number,
): Range | null {
  if (item.part.length > 0) {
    return locateSection(readers.structure(row), { part: item.part, what: WHAT[item.text] });
  }
  switch (item.text) {
    case '':
      return { start: 0, end: size };
    case 'TEXT':
      return { start: readers.headerSize(row), end: size };
    default:
      return { start: 0, end: readers.headerSize(row) };
  }
}

const WHAT = {
  '': 'whole',
  'HEADER': 'header',
  'HEADER.FIELDS': 'header',
  'HEADER.FIELDS.NOT': 'header',
  'TEXT': 'text',
  'MIME': 'mime',
} as const;

function partRange(
  path: readonly number[],
  structure: Uint8Array,
): Range & { readonly encoding: TransferEncoding | null } | null {
  const part = findPart(decodeStructure(structure), path);
  return part === null ? null : { start: part.bodyStart, end: part.end, encoding: encodingOf(part) };
}

/** Multiparts and messages are never encoded (RFC 2045 §6.4), whatever their header says. */
function encodingOf(part: Part): TransferEncoding | null {
  return part.kind === 'leaf' ? part.encoding : '8BIT';
}

/** `<offset.length>` of a range (RFC 9051 §6.4.5): beyond the end is empty, not an error. */
function clip({ start, end }: Range, partial: Partial | null): Range {
  if (partial === null) return { start, end };
  const from = Math.min(end, start + partial.offset);
  return { start: from, end: Math.min(end, from + partial.length) };
}

function cutShort(): Error {
  return serverError('the file of a message is shorter than its index says', undefined, 'corruption');
}

/** The bytes [start, end) of what the pieces are together. */
function* cutPieces(pieces: Iterable<Uint8Array>, start: number, end: number): Generator<Uint8Array> {
  let at = 0;
  for (const piece of pieces) {
    if (at >= end) return;
    const from = Math.max(0, start - at);
    const to = Math.min(piece.length, end - at);
    if (from < to) yield piece.subarray(from, to);
    at += piece.length;
  }
}

/** Sends pieces of an announced literal, waiting for the client between them. */
async function stream(session: Session, out: ResponseBuffer, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    out.bytes(piece);
    if (out.size < BLOCK) continue;
    send(session, out);
    if (session.due) await session.breathe();
    if (session.closed) return;
  }
}

/** Hands over what was gathered. */
export function send(session: Session, out: ResponseBuffer): void {
  if (out.size > 0) session.write(out.take());
}
