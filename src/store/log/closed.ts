/**
 * What the folder of the log knows of owners that are closed for repair while checkpoint and log go on without them.
 *
 *     closed.<id>           the owner's index may lack records below the checkpoint: it must not be read before it has them
 *     closed.<id>.records   the owner's records of segments that are gone, in the form of a segment
 *
 * Both are durable before the checkpoint passes the records, or their segment goes.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../errors.ts';
import { encodeBatch } from './batch.ts';
import { encodeFrame } from './frame.ts';
import { type LogRecord, packHead } from './record.ts';
import { readLog } from './redo.ts';
import { readHeader, readSegment, segmentHeader, syncFolder, writeDurably } from './segment.ts';

function notePath(folder: string, owner: number): string {
  return join(folder, `closed.${owner}`);
}

function recordsPath(folder: string, owner: number): string {
  return `${notePath(folder, owner)}.records`;
}

function ownersWith(folder: string, form: RegExp): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const id = form.exec(name)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

/** Owners whose indexes may lack what the checkpoint has passed. */
export function closedOwners(folder: string): number[] {
  return ownersWith(folder, /^closed\.(\d+)$/);
}

/** Notes durably that these owners are closed, and forgets others: theirs has everything, and was synced with it. */
export function noteClosed(folder: string, owners: ReadonlySet<number>): void {
  const known = closedOwners(folder);
  for (const owner of known) if (!owners.has(owner)) rmSync(notePath(folder, owner), { force: true });
  const fresh = [...owners].filter((owner) => !known.includes(owner));
  for (const owner of fresh) writeFileSync(notePath(folder, owner), '', { mode: 0o600 });
  if (fresh.length > 0) syncFolder(folder);
}

/** Owners some of whose records are kept apart. */
export function keptApart(folder: string): number[] {
  return ownersWith(folder, /^closed\.(\d+)\.records$/);
}

/** Keeps an owner's parts of records apart, durably: their segment is about to go. In order of their LSNs. */
export function keepApart(folder: string, owner: number, records: readonly LogRecord[]): void {
  const path = recordsPath(folder, owner);
  let bytes: Buffer = existsSync(path) ? readFileSync(path) : segmentHeader(records[0]?.l ?? 0, 0);
  const id = readHeader(bytes)?.id;
  if (id === undefined) throw new MailError('server', 'corruption', `${path} has a damaged header`);
  let last = 0;
  readApart(folder, owner, 0, (record) => last = record.l);
  const more = records.filter(({ l }) => l > last).map(({ blobs, d: _directory, ...head }) => {
    const s = head.s.filter((section) => section.o === owner);
    return encodeBatch([encodeFrame(packHead({ ...head, s, r: null }), blobs)], head.l, id);
  });
  if (more.length === 0) return;
  bytes = Buffer.concat([bytes, ...more]);
  writeDurably(path, bytes);
}

/** Lets go of what was kept apart: a snapshot has it, or the owner is gone. */
export function dropApart(folder: string, owner: number): void {
  rmSync(recordsPath(folder, owner), { force: true });
}

function readApart(folder: string, owner: number, after: number, each: (record: LogRecord) => void): void {
  const path = recordsPath(folder, owner);
  if (!existsSync(path)) return;
  const contents = readSegment(path, after, Number.MAX_SAFE_INTEGER, each);
  if (contents === null || contents.end !== contents.bytes.length) {
    throw new MailError('server', 'corruption', `${path} does not hold whole records`);
  }
}

/** Reads the records above `after` that may concern an owner: those kept apart, then the log. */
export function readLogOf(
  folder: string,
  owner: number,
  after: number,
  each: (record: LogRecord) => void,
): void {
  let last = after;
  readApart(folder, owner, after, (record) => {
    last = record.l;
    each(record);
  });
  readLog(folder, last, each);
}
