/** The stores that are damaged, as a killed server leaves them, with what is in them. */
import { layoutOf } from '../../../src/store/layout.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotPath,
} from '../../../src/store/snapshot.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { truncateJournal } from '../../../src/store/writer/journals.ts';
import { box, inbox, message, TestFolders, TestStore } from '../../store/teststore.ts';
import { observe, USERS } from './observe.ts';
import type { Random } from './random.ts';

const ALL = UidSet.range(1, 0xffffffff);

/** A store as a killed server leaves it, and what is in it. */
export interface Template {
  readonly folders: TestFolders;
  readonly model: Map<string, string[]>;
}

/** Builds a store: mail with several recipients, flags, copies, shares, and a log that begins behind snapshots. */
export async function build(random: Random): Promise<Template> {
  const folders = new TestFolders({ log_segment_size: 20_000 });
  const t = new TestStore(folders);
  let n = 0;
  const mail = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const to = USERS.filter(() => random(2) === 0);
      await t.deliver(
        message(n++, random(10) === 0 ? 70_000 : 200 + random(3000)),
        ...(to.length > 0 ? to : ['anna']),
      );
    }
  };
  const work = async (): Promise<void> => {
    for (const userid of USERS) {
      const session = t.as(userid);
      const handle = await session.select(inbox(userid), false, () => {});
      const uids = UidSet.range(1 + random(4), 4 + random(8));
      await handle.store(uids, 'add', ['\\Flagged', `word${random(60)}`]);
      if (random(2) === 0) await handle.copy(uids, box(userid, 'Work'));
      if (random(3) === 0) await handle.move(UidSet.of(1 + random(12)), box(userid, 'Work'));
      if (random(2) === 0) {
        await handle.store(UidSet.of(1 + random(12)), 'add', ['\\Deleted']);
        await handle.expunge(null);
      }
      handle.close();
    }
    const shared = await t.as('bert').select(box('anna', 'Work'), false, () => {});
    await shared.store(ALL, 'add', ['\\Seen']);
    await shared.copy(UidSet.range(1, 3), inbox('bert'));
    shared.close();
  };
  await t.deliver(message('first'), ...USERS);
  for (const userid of USERS) {
    await t.as(userid).create(box(userid, 'Work'));
    await t.as(userid).subscribe(box(userid, 'Work'), true);
    await t.store.secrets.set(userid, `secret of ${userid}`);
    const { scripts } = t.as(userid);
    await scripts.put('main', Buffer.from(`# ${userid}\n${'keep; '.repeat(random(800))}`), { maxScripts: 9 });
    await scripts.put('other', Buffer.from('discard;'), { maxScripts: 9 });
    await scripts.setActive(random(2) === 0 ? 'main' : 'other');
    const comment = Buffer.from(`of ${userid}`);
    await t.as(userid).metadata.set(
      box(userid, 'Work'),
      new Map([['/shared/comment', comment], ['/private/comment', comment]]),
    );
    await t.as(userid).metadata.set(null, new Map([['/private/comment', comment]]));
    await t.store.mark(userid, [{ kind: 'vacation', key: `sender${random(9)}`, until: 4_000_000_000 }]);
  }
  await t.as('anna').setAcl(box('anna', 'Work'), 'bert', 'lrswipte');
  await mail(12);
  await work();
  // What the janitor does when segments go: later logs begin here.
  if (random(4) > 0) {
    await t.checkpoint();
    const { settings } = folders;
    for (const owner of t.writer.state.directory.owners()) {
      const path = layoutOf(settings).index(owner.folder);
      makeSnapshot(path, snapshotPath(folders.spool, owner.folder), owner.id);
    }
    makeDirectorySnapshot(layoutOf(settings).directory, directorySnapshot(settings));
    if (random(3) > 0) t.writer.redo.removeThrough(t.writer.durableLsn);
  }
  await mail(10);
  await work();
  if (random(2) === 0) {
    await t.checkpoint();
    // Behind it the log may have nothing of an owner any more.
    if (random(2) === 0) await t.deliver(message(n++), 'dora');
    else await mail(4);
  }
  // Journals folded back now and then, so that the databases themselves hold the rows.
  if (random(2) === 0) {
    for (const index of t.writer.state.owners.opened()) truncateJournal(index.db, 50);
    truncateJournal(t.writer.state.directory.db, 50);
  }
  const model = await observe(t);
  for (const [userid, lines] of model) {
    if (lines.some((line) => line.startsWith('ERROR'))) throw new Error(`${userid}: ${lines.join('; ')}`);
  }
  const killed = folders.copy();
  await t.close();
  folders.remove();
  return { folders: killed, model };
}
