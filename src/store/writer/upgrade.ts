/**
 * After the program was replaced by a newer one: every owner's index is brought to its format before anybody reads. Workers
 * open indexes read-only and could not do it themselves. Opening an index upgrades it (index/upgrade.ts); directory.db
 * remembers when all are done.
 */
import type { Log } from '../../telemetry/log.ts';
import { STORE_FORMAT } from '../index/schema.ts';
import type { WriterState } from './context.ts';
import { errorText } from './errortext.ts';

/** Owners between two lines in the log: it can take minutes. */
const REPORT_EVERY = 5000;

/** Upgrades all owners' indexes, once. One that cannot be opened is closed and healed by that (heal.ts); the others go on. */
export function upgradeOwners({ directory, owners }: WriterState, log: Log): void {
  if (directory.ownersFormat >= STORE_FORMAT) return;
  const all = directory.owners();
  log.info('upgrading the store', { from: directory.ownersFormat, to: STORE_FORMAT, users: all.length });
  for (const [at, owner] of all.entries()) {
    if (at > 0 && at % REPORT_EVERY === 0) log.info('upgrading the store', { done: at, users: all.length });
    if (owners.closed.has(owner.id)) continue;
    try {
      owners.open(owner);
    } catch (error) {
      log.error('index not upgraded', { userid: owner.userid, reason: errorText(error) });
    }
  }
  directory.begin();
  directory.ownersFormat = STORE_FORMAT;
  directory.commit();
}
