/**
 * The notes in configdirectory about a directory.db that is damaged.
 *
 *     directory.damaged   it was found damaged, or is being made anew: what lies at its place is not the whole before this note goes
 *     directory.derived   it was derived from the owners, who do not know all of it; stays until the administrator removes it
 *
 * Making it anew can be ended at any moment, by a loss of power as well: the note names where the damaged files went before they are
 * moved, so that the next start finds the passwords that can be read in them.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Layout } from '../layout.ts';
import { syncFolder, writeDurably } from '../log/segment.ts';
import { step } from '../step.ts';

/** Names of the notes. */
export const DIRECTORY_DAMAGED = 'directory.damaged';
export const DIRECTORY_DERIVED = 'directory.derived';

/** The database, its journal and its shared memory. */
export const SUFFIXES = ['', '-wal', '-shm'];

interface Note {
  reason: string;
  /** Names under which damaged files are kept, oldest first. */
  kept: string[];
  /** The name under which they are about to be kept: perhaps not all of them are yet. */
  moving: string | null;
}

function readNote({ configdirectory }: Layout): Note | null {
  const path = join(configdirectory, DIRECTORY_DAMAGED);
  if (!existsSync(path)) return null;
  try {
    const { reason, kept, moving } = JSON.parse(readFileSync(path, 'utf8')) as Note;
    return { reason, kept, moving };
  } catch {
    // Nothing was moved before a whole note said where to.
    return { reason: '', kept: [], moving: null };
  }
}

function writeNote({ configdirectory }: Layout, note: Note): void {
  writeDurably(join(configdirectory, DIRECTORY_DAMAGED), `${JSON.stringify(note)}\n`);
}

/** Whether directory.db was found damaged by the last run, or that run did not make it anew to the end. */
export function isDirectoryNoted({ configdirectory }: Layout): boolean {
  return existsSync(join(configdirectory, DIRECTORY_DAMAGED));
}

/** Has directory.db looked at as a whole when the store is opened next. */
export function noteDirectoryDamage(layout: Layout, reason: string): void {
  writeNote(layout, { kept: [], moving: null, ...readNote(layout), reason });
}

/** Takes up what a run before began: afterwards nothing half made lies in the place of directory.db. */
export function resumeRemaking(layout: Layout): void {
  const note = readNote(layout);
  if (note === null) return;
  if (note.moving !== null) return move(layout, note, note.moving);
  if (note.kept.length === 0) return;
  for (const suffix of SUFFIXES) rmSync(layout.directory + suffix, { force: true });
  syncFolder(layout.configdirectory);
}

/** Puts the files of a damaged directory.db aside, durably: from here on the note says that there is none. */
export function putDirectoryAside(layout: Layout, reason: string): void {
  const moving = `${basename(layout.directory)}.damaged-${Date.now().toString(16)}`;
  const note = { kept: [], ...readNote(layout), reason, moving };
  writeNote(layout, note);
  move(layout, note, moving);
}

function move(layout: Layout, note: Note, to: string): void {
  for (const suffix of SUFFIXES) {
    if (existsSync(layout.directory + suffix)) {
      renameSync(layout.directory + suffix, join(layout.configdirectory, to) + suffix);
    }
    step('directory.aside');
  }
  syncFolder(layout.configdirectory);
  writeNote(layout, { ...note, kept: [...note.kept, to], moving: null });
}

/** Paths of the damaged databases that the new one may take rows from, oldest first. */
export function keptDirectories(layout: Layout): string[] {
  return (readNote(layout)?.kept ?? []).map((name) => join(layout.configdirectory, name)).filter(existsSync);
}

/** The new directory.db is whole and durable. */
export function endRemaking({ configdirectory }: Layout): void {
  rmSync(join(configdirectory, DIRECTORY_DAMAGED), { force: true });
  syncFolder(configdirectory);
}

/** Says for good that directory.db was derived: passwords that could not be read are missing. */
export function noteDerived(layout: Layout): void {
  const kept = keptDirectories(layout);
  writeDurably(
    join(layout.configdirectory, DIRECTORY_DERIVED),
    `${JSON.stringify({ at: new Date().toISOString(), kept })}\n`,
  );
}

/** When directory.db was derived, and where damaged ones are kept; null where it never was, or nobody needs to know any more. */
export function readDerived(
  { configdirectory }: Layout,
): { path: string; at: string; kept: string[] } | null {
  const path = join(configdirectory, DIRECTORY_DERIVED);
  if (!existsSync(path)) return null;
  try {
    const { at, kept } = JSON.parse(readFileSync(path, 'utf8')) as { at: string; kept: string[] };
    return { path, at, kept };
  } catch {
    return { path, at: 'a time nobody knows', kept: [] };
  }
}
