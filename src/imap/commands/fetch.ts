/** FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 7162 §3.1.4). */

import { asMailError, userError } from '../../errors.ts';
import type { Mailbox, MessageContent } from '../../store/border.ts';
import { SEEN } from '../../store/flags.ts';
import { UidSet } from '../../store/uidset.ts';
import { checkContent, type ContentReaders, contentReaders, send, writeContent } from '../fetch/content.ts';
import { type FetchPlan, planFetch } from '../fetch/plan.ts';
import { StoredLines } from '../fetch/stored.ts';
import type { FetchCommand } from '../parse/command.ts';
import { CodedError } from '../respond.ts';
import { changedFields, type Selected } from '../selected.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { ResponseBuffer } from '../write/buffer.ts';
import { columnReader, fetchLine, type FetchRow, type FieldRenderer, fieldRenderer } from '../write/fetch.ts';
import { localZone } from '../zone.ts';

/** Rows taken at a time, by what they cost: a few milliseconds each. */
const NARROW_SLICE = 1000;
const WIDE_SLICE = 400;
const CONTENT_SLICE = 200;

/** Messages looked at for changes at a time. */
const SCAN_SLICE = 30_000;

/** Bytes of an answer gathered before they are handed to the connection. */
const BLOCK = 128 * 1024;

/**
 * FETCH. Lines are built slice by slice straight from the rows; files are opened only for sections. Sequence numbers do
 * not change meanwhile, since nothing is announced before the end (session.ts, invariant 2).
 */
export async function fetch(session: Session, command: FetchCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox, view } = selected;
  const plan = planFetch(command);
  let uids = selected.resolve(command.set, command.uid);
  // RFC 7162 §3.1: MODSEQ and CHANGEDSINCE are CONDSTORE enabling.
  if (plan.fields.some(({ field }) => field === 'MODSEQ')) session.enableCondstore();
  if (command.changedSince !== null) {
    session.enableCondstore();
    uids = await changedSince(session, mailbox, uids, command.changedSince);
  }
  const setsSeen = plan.setsSeen && !selected.readOnly && mailbox.rights.includes('s');
  const slice = plan.content.length > 0 ? CONTENT_SLICE : plan.columns.length > 0 ? WIDE_SLICE : NARROW_SLICE;
  const writer = new FetchWriter(session, selected, plan);
  const stored = plan.content.length > 0
    ? null
    : new StoredLines(mailbox, view, uids, plan.fields, !session.rev2);
  let after = 0;
  let found = 0;
  while (!session.closed) {
    if (plan.tellsFlags && stored !== null) selected.tellKeywords(session);
    const lines = stored?.next(after, slice) ?? null;
    if (lines !== null) {
      for (const chunk of lines.chunks) session.spend(chunk);
      if (plan.tellsFlags && view.pending) view.flagsSent(uids.clip(after + 1, lines.last));
      found += lines.count;
      after = lines.last;
      if (session.due) await session.breathe();
      continue;
    }
    const rows: FetchRow[] = plan.columns.length > 0
      ? mailbox.wide(uids, after, slice, plan.columns)
      : mailbox.narrow(uids, after, slice);
    const last = rows.at(-1);
    if (last === undefined) break;
    const seen = setsSeen ? await markSeen(session, selected, rows) : UidSet.empty;
    if (plan.tellsFlags || !seen.isEmpty) selected.tellKeywords(session);
    if (plan.content.length === 0) found += writer.fields(rows);
    else found += await writer.messages(rows, seen);
    if (plan.tellsFlags && view.pending) view.flagsSent(UidSet.fromSorted(rows.map((row) => row[0])));
    after = last[0];
    if (rows.length < slice) break;
    if (session.due) await session.breathe();
  }
  if (found < uids.size && !session.closed) {
    // RFC 2180 §4.1.2: some were expunged so long ago that nothing of them is left.
    throw new CodedError(userError('nonexistent', 'Some of the messages no longer exist'), 'EXPUNGEISSUED');
  }
  return COMPLETED;
}

/** Those changed since (RFC 7162 §3.1.4.1): a resynchronization of a large mailbox holds nobody else up. */
async function changedSince(
  session: Session,
  mailbox: Mailbox,
  uids: UidSet,
  modseq: number,
): Promise<UidSet> {
  let changed = UidSet.empty;
  for (let from = 1; from <= uids.size && !session.closed; from += SCAN_SLICE) {
    changed = changed.union(mailbox.changedAmong(uids.slice(from, from + SCAN_SLICE - 1), modseq));
    if (session.due) await session.breathe();
  }
  return changed;
}

/**
 * Sets \Seen on the messages of a slice that lack it, as one change, before they are answered (RFC 9051 §6.4.5); the rows
 * then say so. A failure is logged only: it must not keep anybody from reading.
 */
async function markSeen(session: Session, selected: Selected, rows: FetchRow[]): Promise<UidSet> {
  const unseen = rows.filter((row) => !(row[1] & SEEN) && !selected.view.gone.has(row[0])).map((row) =>
    row[0]
  );
  if (unseen.length === 0) return UidSet.empty;
  try {
    const { changed, modseq } = await selected.mailbox.store(UidSet.fromSorted(unseen), 'add', ['\\Seen']);
    if (modseq > 0) selected.note({ kind: 'flags', uids: changed, modseq, own: true });
    session.happened('FLAG', selected.mailbox.name, changed, ['\\Seen']);
    for (const row of rows) {
      if (!changed.has(row[0])) continue;
      row[1] = (row[1] | SEEN) >>> 0;
      row[3] = modseq;
    }
    return changed;
  } catch (thrown) {
    session.log.warn('\\Seen could not be set', { error: asMailError(thrown) });
    return UidSet.empty;
  }
}

/** Writes the answers of one FETCH. */
class FetchWriter {
  readonly #session: Session;
  readonly #selected: Selected;
  readonly #plan: FetchPlan;
  readonly #render: FieldRenderer;
  /** What is told beside the items asked for where a message just became \Seen. */
  readonly #renderSeen: FieldRenderer;
  readonly #readers: ContentReaders;
  readonly #place: ((row: FetchRow) => string) | undefined;
  readonly #out = new ResponseBuffer();

  constructor(session: Session, selected: Selected, plan: FetchPlan) {
    this.#session = session;
    this.#selected = selected;
    this.#plan = plan;
    const context = {
      flags: selected.flags,
      recent: (uid: number) => !session.rev2 && selected.view.recent.has(uid),
      zone: localZone,
    };
    const asked = plan.fields.map(({ field }) => field);
    this.#render = fieldRenderer(plan.fields, context, plan.columns);
    this.#renderSeen = fieldRenderer(
      [...changedFields(session).filter(({ field }) => !asked.includes(field)), ...plan.fields],
      context,
      plan.columns,
    );
    this.#readers = contentReaders(plan.columns);
    this.#place = plan.columns.includes('place') ? columnReader(plan.columns, 'place') : undefined;
  }

  /** Answers that need no message; returns how many. */
  fields(rows: readonly FetchRow[]): number {
    const { uids } = this.#selected.view;
    let lines = '';
    for (const row of rows) lines += fetchLine(uids.positionOf(row[0]), this.#render(row));
    this.#session.write(lines);
    return rows.length;
  }

  /** Answers that need the message; returns how many. A message whose file is gone is left out. */
  async messages(rows: readonly FetchRow[], seen: UidSet): Promise<number> {
    const session = this.#session;
    const { mailbox, view } = this.#selected;
    let written = 0;
    for (const row of rows) {
      let content: MessageContent;
      try {
        content = mailbox.content(row, this.#place?.(row));
      } catch (thrown) {
        if (asMailError(thrown).code === 'nonexistent') continue;
        throw thrown;
      }
      try {
        const longer = this.#message(view.uids.positionOf(row[0]), row, seen.has(row[0]), content);
        if (longer !== undefined) await longer;
      } finally {
        content.close();
      }
      written++;
      if (this.#out.size >= BLOCK) send(session, this.#out);
      if (session.due) {
        send(session, this.#out);
        await session.breathe();
      }
      if (session.closed) return written;
    }
    send(session, this.#out);
    return written;
  }

  /** A promise only where a message is too large for one turn: most are small, and an await each would cost as much as they. */
  #message(sequence: number, row: FetchRow, seen: boolean, content: MessageContent): Promise<void> | void {
    const out = this.#out;
    for (const item of this.#plan.content) {
      try {
        checkContent(item, row, this.#readers);
      } catch (thrown) {
        // The answers before this message are right.
        send(this.#session, out);
        throw thrown;
      }
    }
    const fields = (seen ? this.#renderSeen : this.#render)(row);
    out.text(`* ${sequence} FETCH (${fields}${fields === '' ? '' : ' '}`);
    return this.#items(0, row, content);
  }

  /** Writes the items from the one at `first` on, and the end of the line. */
  #items(first: number, row: FetchRow, content: MessageContent): Promise<void> | void {
    const items = this.#plan.content;
    try {
      for (let at = first; at < items.length; at++) {
        if (at > 0) this.#out.text(' ');
        const item = items[at] as (typeof items)[number];
        const longer = writeContent(this.#session, this.#out, item, row, this.#readers, content);
        if (longer !== undefined) return this.#rest(longer, at + 1, row, content);
      }
    } catch (thrown) {
      throw this.#broken(thrown);
    }
    this.#out.text(')\r\n');
  }

  async #rest(longer: Promise<void>, next: number, row: FetchRow, content: MessageContent): Promise<void> {
    try {
      await longer;
    } catch (thrown) {
      throw this.#broken(thrown);
    }
    await this.#items(next, row, content);
  }

  /** Half an answer is on its way: nothing the client reads behind it would make sense. */
  #broken(thrown: unknown): unknown {
    this.#session.connection.destroy();
    return thrown;
  }
}
