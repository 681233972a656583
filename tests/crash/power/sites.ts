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
  'second checkpoint file': 'the same number in the second file',
  'second checkpoint name': 'the name of the second file, before segments go',
  'log folder, segment removed': 'that segments are gone',
  'stage file': 'the bytes of a large body, before its record',
  'stage folder': 'the name of a large body, before its record',
  'partition, new stage folder': 'the name of the stage folder',
  'syncfs of configdirectory': 'databases and journals, before the checkpoint moves',
  'syncfs of a partition': 'message files and links, before the checkpoint moves',
  'syncfs before a user goes': 'what others copied from the user, before the files go',
  'syncfs before an owner is replaced':
    'message files of an owner whose records will not be replayed any more',
  'note of a rebuild': 'that an index is being built and is not the whole',
  'syncfs after a rebuild': 'an index that was built anew, before the note goes',
  'note of a new directory.db': 'where the files of a damaged one go, before they are moved',
  'note name, new directory.db': 'the name of that note',
  'names, new directory.db': 'that the damaged files have gone, before there are new ones',
  'syncfs, new directory.db': 'a directory.db that was made anew, before the note goes',
  'snapshot file': 'the bytes of a snapshot before it replaces the old one',
  'snapshot name': 'the renamed snapshot, before segments go',
  'journal': "SQLite's journal, before it is folded back",
  'journal folder': 'the name of a journal that SQLite made',
  'database': 'the database, before its journal begins anew',
  'rollback journal': "SQLite's rollback journal, while a database is made",
  'backup file': 'the bytes of each file of a backup',
  'syncfs of a backup': 'all files of a backup with their names, before the manifest names them and after it',
  'copy for a backup': 'a copy of a database on its way into a backup',
  'note of a backup': 'which store this is, and what of the log a backup waits for',
  'mark of a restore': 'that a store is not complete, before anything of it is there',
  'file of a restore': 'databases, snapshots and notes of a store that is restored',
  'syncfs of a restore': 'all of a restored store, before its mark goes',
  'decoy key': 'the key of the answers to users that do not exist',
} as const;

export type Site = keyof typeof SITES | 'begin' | 'other';

/** Syncs of which each alone makes the other's lack harmless: they are left out together as well. */
export const TOGETHER: Readonly<Record<string, readonly Site[]>> = {
  'both checkpoint files': ['checkpoint file', 'second checkpoint file'],
  'both checkpoint names': ['checkpoint name', 'second checkpoint name'],
};

/** All that can be left out, one after the other. */
export const OMISSIONS: readonly string[] = [...Object.keys(SITES), ...Object.keys(TOGETHER)];

/** Syncs whose lack no disk can show, and why they are there all the same. */
export const UNNOTICED: Readonly<Record<string, string>> = {
  'checkpoint file': 'the second file says the same',
  'second checkpoint file': 'the first file says the same',
  'both checkpoint files':
    'where neither can be read, recovery replays everything that is there, which costs time and nothing else',
  'checkpoint name': "the sync of the second file's name covers this one, too",
  'second checkpoint name': 'the first file has its name by then',
  'log folder, recovery':
    'segments were named durably before anything was appended; this is for segments that were put there by hand',
  'log folder, segment removed':
    'a segment that comes back lies below the checkpoint, whose name was durable before; only a rebuild reads it, and misses those ' +
    'behind it where two went in one go and only the later one is gone, which takes luck to see',
  'journal folder':
    "SQLite's own; a journal whose name is lost takes away what the log has until the next syncfs",
  'rollback journal':
    "SQLite's own, while a database is made; one that is torn then is made again from the log",
  'decoy key': 'no mail depends on it; one that is lost is made anew',
  'backup file': 'the syncfs before the manifest covers what it names, the one behind it the manifest',
  'copy for a backup': 'it is read again and compared with its hash on its way into the target',
  'note of a backup': 'no mail depends on it',
  'file of a restore': 'the syncfs before the mark goes covers them',
  'note of a new directory.db':
    'snapshot and log have everything in these recordings; where they do not, passwords are in the files it names',
  'names, new directory.db':
    'the same: should the note that follows be there and these not, the damaged files would pass for half of the new one',
};

/** The sites of something that is left out. */
export function sitesOf(omission: string): ReadonlySet<string> {
  return new Set(TOGETHER[omission] ?? [omission]);
}

/** Folders of the partitions in a recording. */
const PARTITION = /^(?:mail\/spool|other)(?:\/|$)/;

/** A sync that was recorded. */
export interface RecordedSync {
  readonly call: string;
  /** Below the root. */
  readonly path: string;
  readonly node: NodeId;
  /** What was recorded before it. */
  readonly before: readonly Operation[];
  /** The site of the sync before it of the same process. */
  readonly last: Site | undefined;
  /** The order that the recorded program works on. */
  readonly doing: string;
}

/** The site of a sync. */
export function siteOf(sync: RecordedSync): Site {
  const { call, path, before, node } = sync;
  if (path.startsWith('backup')) return call === 'syncfs' ? 'syncfs of a backup' : 'backup file';
  if (path.startsWith('restored-')) return siteOfRestore(call, path, before, node);
  if (call === 'syncfs' || call === 'sync') return siteOfAll(sync);
  if (/^state\/log\/[0-9a-f]+\.log$/.test(path)) return siteOfSegment(call, before, node);
  if (/^state\/log\/(storeid|back[a-z]+)\.new$/.test(path)) return 'note of a backup';
  if (path.startsWith('state/backup.work')) return 'copy for a backup';
  if (path === 'state/log') return siteOfLogFolder(before, node);
  if (path === 'state/log/checkpoint.new') return 'checkpoint file';
  if (path === 'state/log/checkpoint.copy.new') return 'second checkpoint file';
  if (path === 'state/directory.damaged.new') return 'note of a new directory.db';
  if (path === 'state') return siteOfConfigdirectory(before, node);
  if (path === '') return 'folder of configdirectory';
  if (path === 'mail') return 'folder of a partition';
  if (PARTITION.test(path)) return siteInPartition(path.replace(PARTITION, ''), before, node);
  if (path.startsWith('state/decoy')) return 'decoy key';
  if (path.endsWith('-wal')) return 'journal';
  if (path.endsWith('-journal')) return 'rollback journal';
  if (path.endsWith('.db')) return 'database';
  if (path.startsWith('state/user')) return 'journal folder';
  return 'other';
}

/** The janitor syncs everything, configdirectory first; the writer the partitions alone. */
function siteOfAll({ path, last, doing, before }: RecordedSync): Site {
  if (doing === 'rebuild') return 'syncfs after a rebuild';
  if (path.startsWith('state') && isDirectoryRemade(before)) return 'syncfs, new directory.db';
  if (path.startsWith('state')) return 'syncfs of configdirectory';
  if (last === 'syncfs of configdirectory' || last === 'syncfs of a partition') {
    return 'syncfs of a partition';
  }
  return doing === 'fromspool' ? 'syncfs before an owner is replaced' : 'syncfs before a user goes';
}

function siteOfRestore(call: string, path: string, before: readonly Operation[], node: NodeId): Site {
  if (call === 'syncfs') return 'syncfs of a restore';
  const marks = path.endsWith('/log/restoring.new') ||
    path.endsWith('/log') && lastNamesIn(before, node).startsWith('restoring');
  return marks ? 'mark of a restore' : 'file of a restore';
}

/** Whether the note that directory.db is being made anew stands: nothing else goes on then. */
function isDirectoryRemade(before: readonly Operation[]): boolean {
  for (let at = before.length - 1; at >= 0; at--) {
    const change = before[at]?.change;
    const found = change?.kind === 'names' && change.names.find(({ name }) => name === 'directory.damaged');
    if (found) return found.node !== null;
  }
  return false;
}

function siteOfConfigdirectory(before: readonly Operation[], node: NodeId): Site {
  const last = before.findLast(({ change }) =>
    change.kind === 'names' && change.names.some((one) => one.folder === node)
  );
  const names = last?.change.kind === 'names' ? last.change.names.map(({ name }) => name) : [];
  if (names.includes('directory.damaged')) return 'note name, new directory.db';
  return names.some((name) => name.startsWith('directory.db.damaged-'))
    ? 'names, new directory.db'
    : 'folder of the log';
}

/** @param path below the partition's folder */
function siteInPartition(path: string, before: readonly Operation[], node: NodeId): Site {
  if (path === '') return siteOfPartition(lastNamesIn(before, node));
  if (path === 'stage.') return 'stage folder';
  if (path.startsWith('stage./')) return 'stage file';
  if (/(^|[./])snapshot\.new(-journal)?$/.test(path)) return 'snapshot file';
  if (/\/[0-9a-f]{4,}\/[0-9a-f]{40}\.[^/]+$/.test(path)) return 'other'; // the log and the stage keep those
  return lastNamesIn(before, node) === 'snapshot' ? 'snapshot name' : 'snapshot file';
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
  const last = before.findLast(({ change }) =>
    change.kind === 'names' && change.names.some((one) => one.folder === folder)
  );
  const synced = before.findLast(({ change }) => change.kind === 'sync' && change.node === folder);
  // A recovery syncs the folder without having made anything in it.
  if (last === undefined || synced !== undefined && before.indexOf(synced) > before.indexOf(last)) {
    return 'log folder, recovery';
  }
  const name = lastNamesIn(before, folder);
  if (name === 'checkpoint') return 'checkpoint name';
  if (name === 'checkpoint.copy') return 'second checkpoint name';
  if (name.startsWith('rebuilding.')) return 'note of a rebuild';
  if (/^(storeid|back)/.test(name)) return 'note of a backup';
  const gone = last.change.kind === 'names' && last.change.names.every((one) => one.node === null);
  if (gone) return 'log folder, segment removed';
  return name.endsWith('.log') ? 'log folder, new segment' : 'log folder, recovery';
}
