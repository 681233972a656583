/** From an identity to the transaction state: which mailbox is the maildrop, its lock, and how soon again it may be asked for. */

import type { Settings } from '../config/settings.ts';
import { userError } from '../errors.ts';
import type { Identity, MailboxName } from '../store/border.ts';
import { folderName } from '../store/names.ts';
import { ANONYMOUS, hasRight } from '../store/rights.ts';
import { Maildrop } from './maildrop.ts';
import type { Pop3Session } from './session.ts';
import { LOGIN_DELAY, ok } from './write.ts';

/** The user and the folder of a login name: with `popsubfolders`, `user+folder` is a folder below the INBOX. */
export function mailboxOf(
  login: string,
  { popsubfolders }: Pick<Settings, 'popsubfolders'>,
): { name: string; folder: string | null } {
  if (!popsubfolders) return { name: login, folder: null };
  // `user+folder@domain`: the domain belongs to the user.
  const [, user, folder, domain = ''] = /^([^+]+)\+([^@]+)(@.*)?$/s.exec(login) ?? [];
  return user === undefined || folder === undefined
    ? { name: login, folder: null }
    : { name: user + domain, folder };
}

/**
 * Opens the maildrop of a user, answers +OK and enters the transaction state.
 * @param folder below the INBOX, as the user writes it; null for the INBOX
 * @param answered runs behind the answer, before anything else is read
 * @throws MailError 'inuse', 'limit', 'nonexistent', 'unavailable'
 */
export async function openMaildrop(
  session: Pop3Session,
  identity: Identity,
  folder: string | null,
  answered: () => void = () => {},
): Promise<void> {
  const { settings, services } = session;
  if (identity.userid === ANONYMOUS) throw userError('cannot', 'POP3 has no anonymous maildrop');
  const store = services.store.session(identity);
  await store.login();
  const name = maildropName(identity, folder, settings);
  const lock = store.lockMaildrop(name);
  try {
    const waited = lock.before === null ? Infinity : Date.now() / 1000 - lock.before;
    // RFC 2449 §8.1.1. A clock that was set back must not shut anybody out.
    if (waited >= 0 && waited < settings.popminpoll) {
      throw userError('limit', LOGIN_DELAY);
    }
    const rights = settings.popuseacl ? store.info(name).rights : null;
    if (rights !== null && !hasRight(rights, 'r')) {
      throw userError('noperm', 'You may not read this maildrop');
    }
    const readOnly = rights !== null && !hasRight(rights, 't');
    const mailbox = await store.select(name, readOnly, () => {});
    const flags = settings.popuseimapflags && (rights === null || hasRight(rights, 's'));
    session.maildrop = Maildrop.read(mailbox, lock, { flags });
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
  if (session.ended) {
    const { maildrop } = session;
    session.maildrop = null;
    await maildrop?.close();
    return;
  }
  const { messages, size } = session.maildrop.total;
  session.write(ok(`Mailbox locked and ready, ${messages} messages (${size} octets)`));
  answered();
  session.admit();
}

function maildropName({ userid }: Identity, folder: string | null, settings: Settings): MailboxName {
  return folder === null ? { owner: userid, path: '' } : folderName(userid, folder, settings);
}
