/**
 * Message files that are missing or whose bytes are not those that were stored: found by their hash, and put back from wherever
 * the same bytes still are: another file of the same content (a copy, another recipient's), the redo log, a large body's name
 * in the stage. What is nowhere else is named with mailbox, UID and Message-ID; its row stays.
 *
 * This side only reads and makes files in the stage; the writer gives them their names (writer/mend.ts).
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import type { Settings } from '../../config/settings.ts';
import { MailError } from '../../errors.ts';
import { messageFiles } from '../check/spool.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerReader, StoredPart } from '../index/reader.ts';
import { layoutOf, stageFolder } from '../layout.ts';
import { readLog } from '../log/redo.ts';
import { syncFolder } from '../log/segment.ts';
import { hashOfFile } from '../spool/hash.ts';

/** Parts read from the index at a time. */
const PAGE = 500;

/** A part whose file is not what was stored. */
export interface DamagedPart extends StoredPart {
  path: string;
  problem: string;
}

/** Reads every message file of an owner and compares it with what the index says. `pause` is called after each file. */
export async function damagedParts(
  settings: Settings,
  owner: Pick<OwnerRow, 'folder'>,
  reader: () => OwnerReader,
  pause: (bytes: number) => Promise<void>,
): Promise<DamagedPart[]> {
  const damaged: DamagedPart[] = [];
  for (let after = 0;;) {
    const page = reader().parts(after, PAGE);
    for (const part of page) {
      after = part.id;
      const root = settings.partition[part.partition];
      if (root === undefined) continue;
      const path = join(root, owner.folder, part.file);
      const found = hashOfFile(path);
      await pause(found?.size ?? 0);
      const problem = found === null
        ? existsSync(path) ? 'the file cannot be read' : 'the file is missing'
        : found.size !== part.size
        ? `the file has ${found.size} bytes instead of ${part.size}`
        : found.hash !== part.hash
        ? 'the bytes of the file are not those that were stored'
        : null;
      if (problem !== null) damaged.push({ ...part, path, problem });
    }
    if (page.length < PAGE) return damaged;
  }
}

/** What is wrong with a part, and which messages it is: mailbox, UID and Message-ID. */
export function describeDamage(
  part: DamagedPart,
  { userid }: Pick<OwnerRow, 'userid'>,
  reader: OwnerReader,
): string {
  const uses = reader.usesOf(part.id).map(({ path, uid, messageId }) =>
    `UID ${uid} of ${path === '' ? 'INBOX' : path} (${messageId ?? 'no Message-ID'})`
  );
  return `${part.path}: ${part.problem}; ${userid}: ${uses.join(', ')}`;
}

/** A part whose bytes were found again, in a file of the stage. */
export interface Mended {
  part: DamagedPart;
  stage: string;
}

/** Looks for the bytes of damaged parts. Each one found lies durably in the stage of its partition. */
export function findCopies(
  settings: Settings,
  owners: readonly OwnerRow[],
  damaged: readonly DamagedPart[],
): Mended[] {
  const mended: Mended[] = [];
  let missing = [...damaged];
  /** Those of `missing` with this content get it. */
  const give = (hash: string, make: (stage: string) => void): void => {
    for (const part of missing.filter((candidate) => candidate.hash === hash)) {
      const stage = newStage(settings.partition[part.partition] as string);
      make(stage);
      const found = hashOfFile(stage);
      if (found?.hash !== hash) continue;
      syncFile(stage);
      mended.push({ part, stage });
      missing = missing.filter((candidate) => candidate !== part);
    }
  };
  for (const path of filesOfAll(settings, owners)) {
    if (missing.length === 0) return mended;
    // Names begin with the hash, so no index is asked.
    const prefix = basename(path).slice(0, 40);
    const part = missing.find(({ hash }) => hash.startsWith(prefix));
    if (part === undefined || hashOfFile(path)?.hash !== part.hash) continue;
    give(part.hash, (stage) => copyFileSync(path, stage, constants.COPYFILE_EXCL));
  }
  if (missing.length === 0) return mended;
  try {
    readLog(layoutOf(settings).log, 0, (record) => {
      for (const section of record.s) {
        for (const event of section.e) {
          if (event.k !== 'add') continue;
          for (const { hash, source } of event.parts) {
            if (!missing.some((part) => part.hash === hash)) continue;
            if ('blob' in source) {
              const bytes = record.blobs[source.blob];
              if (bytes !== undefined) give(hash, (stage) => write(stage, bytes));
            } else {
              const path = 'stage' in source ? source.stage : source.link;
              if (hashOfFile(path)?.hash === hash) give(hash, (stage) => copyFileSync(path, stage));
            }
          }
        }
      }
    });
  } catch (error) {
    // A damaged log has nothing more to give.
    if (!(error instanceof MailError)) throw error;
  }
  return mended;
}

/** Every message file of everybody. */
function* filesOfAll(settings: Settings, owners: readonly OwnerRow[]): IterableIterator<string> {
  for (const root of Object.values(settings.partition)) {
    for (const { folder } of owners) yield* messageFiles(join(root, folder));
  }
}

function newStage(partition: string): string {
  const folder = stageFolder(partition);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${process.pid}.${randomBytes(9).toString('hex')}`);
}

function write(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
  } finally {
    closeSync(fd);
  }
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(dirname(path));
}
