/** The items of STATUS answers, for STATUS and LIST RETURN (STATUS ...) (RFC 9051 §6.3.11, §7.3.4). */

import { DELETED, NO_FLAGS } from '../store/flags.ts';
import type { MailboxInfo } from '../store/border.ts';
import type { StatusItem } from './parse/command.ts';
import type { Session } from './session.ts';
import { statusLine } from './write/list.ts';

/** Rows read at a time where sizes have to be summed up. */
const SLICE = 1000;

/** Writes `* STATUS name (...)` with the items in the order asked. */
export async function tellStatus(
  session: Session,
  external: string,
  info: MailboxInfo,
  items: readonly StatusItem[],
): Promise<void> {
  const values: { -readonly [Item in StatusItem]?: number | null } = {};
  for (const item of items) {
    const value = itemValue(session, info, item);
    values[item] = value instanceof Promise ? await value : value;
  }
  session.write(statusLine(external, session.rev2, items, values));
}

function itemValue(session: Session, info: MailboxInfo, item: StatusItem): number | null | Promise<number> {
  switch (item) {
    case 'MESSAGES':
      return info.exists;
    case 'RECENT':
      return info.recent;
    case 'UIDNEXT':
      return info.uidnext;
    case 'UIDVALIDITY':
      return info.uidvalidity;
    case 'UNSEEN':
      return info.unseen;
    case 'DELETED':
      return info.deleted;
    case 'SIZE':
      return info.size;
    case 'HIGHESTMODSEQ':
      // RFC 7162 §3.1: asking for it is a CONDSTORE enabling command.
      session.enableCondstore();
      return info.highestmodseq;
    case 'APPENDLIMIT':
      return session.settings.maxmessagesize > 0 ? session.settings.maxmessagesize : null;
    case 'DELETED-STORAGE':
      return info.deleted === 0 ? 0 : deletedStorage(session, info);
  }
}

/** RFC 9208 §4.1.4: the sum of RFC822.SIZE of the messages marked \Deleted. */
async function deletedStorage(session: Session, info: MailboxInfo): Promise<number> {
  const mailbox = await session.store.select(info.name, true, () => {});
  try {
    const uids = mailbox.withFlags({ lo: DELETED, hi: 0 }, NO_FLAGS);
    let sum = 0;
    let after = 0;
    while (!session.closed) {
      const rows = mailbox.narrow(uids, after, SLICE);
      for (const row of rows) sum += row[4];
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) break;
      after = last[0];
      await session.breathe();
    }
    return sum;
  } finally {
    mailbox.close();
  }
}
