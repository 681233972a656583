/** One owner as at the moment that is restored: the index, brought there in a folder of this process. */
import { existsSync } from 'node:fs';
import type { Settings } from '../../../config/settings.ts';
import { MailError, userError } from '../../../errors.ts';
import { Directory, type OwnerRow } from '../../index/directory.ts';
import { DirectoryReader } from '../../index/directoryreader.ts';
import { OwnerReader } from '../../index/reader.ts';
import { layoutOf } from '../../layout.ts';
import { Spool } from '../../spool/spool.ts';
import { OwnerPool } from '../../writer/owners.ts';
import { runOf } from '../manifest.ts';
import type { Target } from '../target.ts';
import { fetchFile, hashOf } from './fetch.ts';
import type { RestorePoint } from './point.ts';
import { Replay } from './replay.ts';

export interface PastOwner {
  readonly index: OwnerReader;
  /** Secret of the user then, or null. */
  readonly secret: string | null;
  close(): void;
}

/**
 * Makes the past of an owner readable below `work`.
 * @throws MailError 'nouser' where there was none at that moment, 'corruption' where the backup cannot tell
 */
export async function pastOwner(
  settings: Settings,
  target: Target,
  point: RestorePoint,
  userid: string,
  work: string,
): Promise<PastOwner> {
  const layout = layoutOf({ configdirectory: work });
  const { base } = point;
  await fetchFile(target, base.head.directory.name, hashOf(base.head.directory.name), layout.directory);
  for (const { userid: other, folder, index } of base.owners) {
    if (other === userid) await fetchFile(target, index.name, hashOf(index.name), layout.index(folder));
  }
  const directory = new Directory(layout.directory, false);
  const owners = new OwnerPool(layout, new Spool(settings.partition), () => 0);
  let owner: OwnerRow | null;
  try {
    const replay = new Replay(directory, owners, layout, userid);
    await replay.run(target, point);
    owner = directory.owner(userid);
    const broken = replay.broken.get(userid);
    if (broken !== undefined) {
      throw new MailError('server', 'corruption', `the backup of ${userid} is not whole: ${broken}`);
    }
    // Opened by the writer's code once more: an index of an older format is brought to this one.
    if (owner !== null && existsSync(layout.index(owner.folder))) owners.open(owner);
  } finally {
    owners.closeAll();
    directory.close();
  }
  if (owner === null || !existsSync(layout.index(owner.folder))) {
    throw userError('nouser', `there was no user ${userid} at that moment (run ${runOf(base.name)})`);
  }
  const names = new DirectoryReader(layout.directory);
  const secret = names.secret(userid)?.secret ?? null;
  names.close();
  const index = new OwnerReader(layout.index(owner.folder));
  return { index, secret, close: () => index.close() };
}
