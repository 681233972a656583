/**
 * Which sync of the write path a recorded sync is: told by the file and by what was done to it before. Each site can be left out of
 * the recording, to see whether the machine notices.
 */
import type { NodeId, Operation } from './operation.ts';

/** What every site makes durable, in the order of the write path. */
export const SITES = {
  'log batch': 'the records of a batch, before anybody is answered',
  'log header': 'the header of a new segment',
  'log folder, new segment': 'the name of a new segment',
  'log tail': 'the end of the log that a recovery found, before it is applied',
  'log folder, recovery': 'the names of the segments that a recovery found',
  'folder of the log': 'the name of the log folder, at start',
  'folder of configdirectory': 'the name of configdirectory, at start',
  'folder of a partition': 'the name of a partition, at start',
  'checkpoint file': 'the number in the checkpoint file before it replaces the old one',
  'checkpoint name': 'the renamed checkpoint file, before segments go',
  'log folder, segment removed': 'that segments are gone',
  'stage file': 'the bytes of a large body, before its record',
  'stage folder': 'the name of a large body, before its record',
  'partition, new stage folder': 'the name of the stage folder',
  'syncfs of configdirectory': 'databases and journals, before the checkpoint moves',
  'syncfs of a partition': 'message files and links, before the checkpoint moves',
  'snapshot file': 'the bytes of a snapshot before it replaces the old one',
  'snapshot name': 'the renamed snapshot, before segments go',
  'journal': "SQLite's journal, before it is folded back",
  'journal folder': 'the name of a journal that SQLite made',
  'database': 'the database, before its journal begins anew',
  'rollback journal': "SQLite's rollback journal, while a database is made",
  'decoy key': 'the key of the answers to users that do not exist',
} as const;

/** Syncs whose lack no disk can show, and why they are there all the same. */
export const UNNOTICED: Readonly<Partial<Record<keyof typeof SITES, string>>> = {
  'log folder, recovery':
    'segments were named durably before anything was appended; this is for segments that were put there by hand',
  'log folder, segment removed':
    'a segment that comes back lies below the checkpoint, whose name was durable before, and is not read',
  'journal folder':
    "SQLite's own; a journal whose name is lost takes away what the log has until the next syncfs",
  'rollback journal':
    "SQLite's own, while a database is made; one that is torn then is made again from the log",
  'decoy key': 'no mail depends on it; one that is lost is made anew',
};

export type Site = keyof typeof SITES | 'begin' | 'other';

/** The site of a sync of `path` (below the root), which is this node. */
export function siteOf(call: string, path: string, before: readonly Operation[], node: NodeId): Site {
  if (call === 'syncfs' || call === 'sync') {
    return path.startsWith('state') ? 'syncfs of configdirectory' : 'syncfs of a partition';
  }
  if (/^state\/log\/[0-9a-f]+\.log$/.test(path)) return siteOfSegment(call, before, node);
  if (path === 'state/log') return siteOfLogFolder(before, node);
  if (/^state\/log\/checkpoint(\.copy)?\.new$/.test(path)) return 'checkpoint file';
  if (path === 'state') return 'folder of the log';
  if (path === '') return 'folder of configdirectory';
  if (path === 'mail') return 'folder of a partition';
  if (path === 'mail/spool') return siteOfPartition(lastNamesIn(before, node));
  if (path === 'mail/spool/stage.') return 'stage folder';
  if (path.startsWith('mail/spool/stage./')) return 'stage file';
  if (/[./]snapshot\.new(-journal)?$/.test(path)) return 'snapshot file';
  if (path.startsWith('mail/spool')) {
    return lastNamesIn(before, node) === 'snapshot' ? 'snapshot name' : 'snapshot file';
  }
  if (path.startsWith('state/decoy')) return 'decoy key';
  if (path.endsWith('-wal')) return 'journal';
  if (path.endsWith('-journal')) return 'rollback journal';
  if (path.endsWith('.db')) return 'database';
  if (path.startsWith('state/user')) return 'journal folder';
  return 'other';
}

/** The name in this folder that changed last. */
function lastNamesIn(before: readonly Operation[], folder: NodeId): string {
  for (let at = before.length - 1; at >= 0; at--) {
    const change = before[at]?.change;
    if (change?.kind !== 'names') continue;
    const name = change.names.findLast((one) => one.folder === folder);
    if (name !== undefined) return name.name;
  }
  return '';
}

function siteOfPartition(last: string): Site {
  if (last === 'directory.snapshot') return 'snapshot name';
  return last.startsWith('directory.snapshot') ? 'snapshot file' : 'partition, new stage folder';
}

function siteOfSegment(call: string, before: readonly Operation[], node: NodeId): Site {
  if (call === 'fdatasync') return 'log batch';
  // One that was made in this recording is synced once with its header; later, or in one found, it is the tail.
  const found = before.some(({ change, begun }) =>
    change.kind === 'sync' && change.node === node && change.site === 'log header' ||
    change.kind === 'make' && change.node === node && begun === 0
  );
  return found ? 'log tail' : 'log header';
}

function siteOfLogFolder(before: readonly Operation[], folder: NodeId): Site {
  const name = lastNamesIn(before, folder);
  if (name === 'checkpoint' || name === 'checkpoint.copy') return 'checkpoint name';
  const last = before.findLast(({ change }) =>
    change.kind === 'names' && change.names.some((one) => one.folder === folder)
  );
  const gone = last?.change.kind === 'names' && last.change.names.every((one) => one.node === null);
  if (gone) return 'log folder, segment removed';
  const synced = before.findLast(({ change }) => change.kind === 'sync' && change.node === folder);
  const fresh = last !== undefined && name.endsWith('.log') &&
    (synced === undefined || before.indexOf(synced) < before.indexOf(last));
  // A recovery syncs the folder without having made anything in it.
  return fresh ? 'log folder, new segment' : 'log folder, recovery';
}
