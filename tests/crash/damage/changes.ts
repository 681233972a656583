/**
 * What goes on in a store between damage and its discovery: mail, flags, copies, expunges, checkpoints, snapshots with the
 * removal of segments, a scrub, restarts. Each change is a value, so that those that were acknowledged can be repeated on a
 * store that is whole, and both be compared.
 */
import { MailError } from '../../../src/errors.ts';
import { Scrub } from '../../../src/store/janitor/scrub.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotLsn,
  snapshotPath,
} from '../../../src/store/snapshot.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { truncateJournal } from '../../../src/store/writer/journals.ts';
import { mend } from '../../../src/store/writer/mend.ts';
import { box, inbox, message, type TestStore } from '../../store/teststore.ts';
import { USERS } from './observe.ts';
import type { Random } from './random.ts';

export type Change =
  | { op: 'deliver'; n: string; size: number; to: string[] }
  | { op: 'flags'; by: string; owner: string; path: string; from: number; to: number; flag: string }
  | { op: 'copy' | 'move'; by: string; owner: string; path: string; from: number; to: number; into: string }
  | { op: 'expunge'; by: string; uid: number }
  | { op: 'script'; by: string; name: string; text: string }
  | { op: 'activate'; by: string; name: string }
  | { op: 'metadata'; by: string; name: string; text: string }
  | { op: 'mark'; by: string; key: string; until: number };

/** What is done to the store without a user seeing it. */
export type Upkeep = 'checkpoint' | 'retire' | 'fold' | 'scrub' | 'restart';

export function newChange(random: Random, n: string): Change {
  const by = USERS[random(USERS.length)] as string;
  const from = 1 + random(14);
  const to = from + random(8);
  switch (random(9)) {
    case 0:
      return {
        op: 'flags',
        by,
        owner: by,
        path: random(3) === 0 ? 'Work' : '',
        from,
        to,
        flag: `word${random(60)}`,
      };
    case 1:
      return random(2) === 0
        ? { op: 'copy', by, owner: by, path: '', from, to, into: by }
        : { op: 'copy', by: 'bert', owner: 'anna', path: 'Work', from, to, into: 'bert' };
    case 2:
      return random(2) === 0
        ? { op: 'move', by, owner: by, path: '', from, to: from, into: by }
        : { op: 'expunge', by, uid: from };
    case 3:
      return { op: 'flags', by: 'bert', owner: 'anna', path: 'Work', from, to, flag: '\\Answered' };
    case 5:
      return { op: 'metadata', by, name: random(2) === 0 ? '/shared/comment' : '/private/x', text: n };
    case 6:
      return { op: 'mark', by, key: `${random(5)}`, until: 4_000_000_000 + random(1000) };
    case 4:
      return random(2) === 0
        ? { op: 'script', by, name: `script${random(3)}`, text: `# ${n}` }
        : { op: 'activate', by, name: `script${random(3)}` };
    default: {
      const to = USERS.filter(() => random(2) === 0);
      return { op: 'deliver', n, size: 200 + random(3000), to: to.length > 0 ? to : [by] };
    }
  }
}

/** The next thing that happens; about every third one is upkeep. */
export function newUpkeep(random: Random): Upkeep {
  return (['checkpoint', 'checkpoint', 'retire', 'retire', 'fold', 'scrub', 'restart'] as const)[
    random(7)
  ] as Upkeep;
}

/** Makes a change. Returns what of it was acknowledged, null if nothing was. */
export async function make(t: TestStore, change: Change): Promise<Change | null> {
  if (change.op === 'deliver') {
    const results = await t.deliver(message(change.n, change.size), ...change.to);
    const to = change.to.filter((_, at) => results[at]?.uid !== undefined);
    return to.length === 0 ? null : { ...change, to };
  }
  const session = t.as(change.by);
  if (change.op === 'metadata') {
    await session.metadata.set(box(change.by, 'Work'), new Map([[change.name, Buffer.from(change.text)]]));
    return change;
  }
  if (change.op === 'mark') {
    await t.store.mark(change.by, [{ kind: 'redirect', key: change.key, until: change.until }]);
    return change;
  }
  if (change.op === 'script') {
    await session.scripts.put(change.name, Buffer.from(change.text), { maxScripts: 9 });
    return change;
  }
  if (change.op === 'activate') {
    const known = session.scripts.list().some(({ name }) => name === change.name);
    await session.scripts.setActive(known ? change.name : null);
    return change;
  }
  const name = change.op === 'expunge' ? inbox(change.by) : box(change.owner, change.path);
  const handle = await session.select(name, false, () => {});
  try {
    if (change.op === 'expunge') {
      await handle.store(UidSet.of(change.uid), 'add', ['\\Deleted']);
      await handle.expunge(UidSet.of(change.uid));
    } else {
      const uids = UidSet.range(change.from, change.to);
      if (change.op === 'flags') await handle.store(uids, 'add', [change.flag]);
      else if (change.op === 'copy') await handle.copy(uids, box(change.into, 'Work'));
      else await handle.move(uids, box(change.into, 'Work'));
    }
  } finally {
    handle.close();
  }
  return change;
}

/** Does what the janitor does; what it finds damaged it hands to the writer, and what it then may not do it leaves. */
export async function keepUp(t: TestStore, upkeep: Exclude<Upkeep, 'restart'>): Promise<void> {
  const { settings } = t.folders;
  const { directory, owners } = t.writer.state;
  try {
    if (upkeep === 'checkpoint') await t.checkpoint();
    else if (upkeep === 'fold') {
      for (const index of owners.opened()) truncateJournal(index.db, 50);
      truncateJournal(directory.db, 50);
    } else if (upkeep === 'retire') await retire(t);
    else {
      await new Scrub(settings, t.lines, {
        suspect: (owner, reason) => t.writer.suspect(owner, reason),
        mend: (mending) => mend(t.writer, mending),
      }).run();
    }
  } catch (error) {
    if (!(error instanceof MailError) && !(error instanceof Error && error.name === 'SQLiteError')) {
      throw error;
    }
  }
  await t.writer.idle();
}

async function retire(t: TestStore): Promise<void> {
  const { settings } = t.folders;
  const { directory, owners } = t.writer.state;
  await t.checkpoint();
  for (const owner of directory.owners()) {
    const path = layoutOf(settings).index(owner.folder);
    try {
      const lsn = owners.peek(owner.id)?.lsn ?? owners.floor(owner.id);
      const snapshot = snapshotPath(t.folders.spool, owner.folder);
      if (snapshotLsn(snapshot, owner.id) < lsn) makeSnapshot(path, snapshot, owner.id, lsn);
    } catch (error) {
      t.writer.suspect(owner.id, String(error));
      throw error;
    }
  }
  makeDirectorySnapshot(layoutOf(settings).directory, directorySnapshot(settings));
  t.writer.redo.removeThrough(t.writer.durableLsn);
}
