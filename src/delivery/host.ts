/** What a script may ask of the world, answered from the store with the rights of its owner. */

import { asMailError } from '../errors.ts';
import type { Host } from '../sieve/host.ts';
import type { ListedMailbox } from '../store/border.ts';
import { version } from '../version.ts';
import { defaultMailbox, hasUse, mailboxNamed } from './filing.ts';
import type { Occasion } from './occasion.ts';
import { turn } from './turns.ts';

/** Kind of the marks of `duplicate` (RFC 7352). */
export const DUPLICATE = 'duplicate';

export function makeHost(occasion: Occasion): Host {
  const { log, now } = occasion;
  const mailboxes = mailboxesOf(occasion);
  return {
    now,
    pause: turn,
    log: (text) => log.info('script', { text }),
    mailboxExists: (name) => mailboxes.named(name) !== null,
    mailboxIdExists: (id) => mailboxes.all().some(({ mailboxid }) => mailboxid === id),
    specialUseExists(mailbox, use) {
      const has = (each: ListedMailbox) => hasUse(each, use);
      if (mailbox === null) return mailboxes.all().some(has);
      const named = mailboxes.named(mailbox);
      return named !== null && has(named);
    },
    metadata: (mailbox, entry) => metadataOf(occasion, mailbox, entry),
    notifyMethod: () => null,
    listed: (list, value) => occasion.lists.find(list, value, now),
    members: (list) => occasion.lists.addresses(list, now),
    program: (call) => occasion.programs.run(call, occasion.owner.userid),
    zoneOffset: (seconds) => -new Date(seconds * 1000).getTimezoneOffset(),
    environment: (item) => environmentOf(occasion, item),
    seen: (key) => occasion.store.marked(occasion.owner.userid, DUPLICATE, key),
    script(location, name) {
      const bytes = occasion.store.scriptNamed(location === 'global' ? '' : occasion.owner.userid, name);
      if (bytes === null) return null;
      return { bytes, hash: new Bun.CryptoHasher('sha256').update(bytes).digest('hex') };
    },
  };
}

/** An annotation as its owner may read it; null where there is none, or none to be read. */
function metadataOf(occasion: Occasion, mailbox: string | null, entry: string): string | null {
  const { owner: { userid }, store } = occasion;
  try {
    const name = mailbox === null ? null : mailboxNamed(mailbox, occasion);
    const value = store.session({ userid, admin: false, groups: [], groupsUnknown: true }).metadata.get(
      name,
      entry,
    );
    return value === null ? null : Buffer.from(value).toString('utf8');
  } catch (thrown) {
    if (asMailError(thrown).kind === 'server') throw thrown;
    return null;
  }
}

/** Items of RFC 5183 §4.1 and of vnd.dovecot.environment. */
function environmentOf(occasion: Occasion, item: string): string | null {
  const { arrival, owner, settings } = occasion;
  switch (item) {
    case 'name':
      return 'mailstore';
    case 'version':
      return version;
    case 'location':
      return 'MDA';
    case 'phase':
      return 'during';
    case 'host':
      return settings.servername;
    case 'domain':
      return settings.servername.replace(/^[^.]*\./, '');
    case 'remote-ip':
      return arrival.remoteAddress === '' ? null : arrival.remoteAddress;
    case 'remote-host':
      return arrival.clientName === '' ? null : arrival.clientName;
    case 'imap.user':
    case 'imap.email':
    case 'imap.cause':
    case 'imap.mailbox':
    case 'imap.changedflags':
      // RFC 6785 §4: these are there, and empty, when mail is delivered.
      return '';
    case 'vnd.dovecot.username':
      return owner.userid;
    case 'vnd.dovecot.default-mailbox':
      return defaultMailbox(occasion);
    default:
      return null;
  }
}

/** The mailboxes the owner may deliver into, looked up when one is asked for. */
function mailboxesOf(occasion: Occasion) {
  const { owner: { userid }, store } = occasion;
  let known: readonly ListedMailbox[] | null = null;
  const deliverable = () =>
    known ??= store.session({ userid, admin: false, groups: [], groupsUnknown: true }).list()
      .filter(({ rights, selectable }) => selectable && /[ip]/.test(rights));
  return {
    /** The owner's own. */
    all: () => deliverable().filter(({ name }) => name.owner === userid),
    named(name: string): ListedMailbox | null {
      try {
        const { owner, path } = mailboxNamed(name, occasion);
        return deliverable().find((each) => each.name.owner === owner && each.name.path === path) ?? null;
      } catch {
        return null; // no mailbox can have this name
      }
    },
  };
}
