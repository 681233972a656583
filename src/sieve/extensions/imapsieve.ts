import type { Extension } from '../extension.ts';

/**
 * RFC 6785: scripts that run because a user did something with a message. What it was, the environment says: imap.user, imap.email,
 * imap.cause, imap.mailbox, imap.changedflags (§4). At a delivery there is nothing of it, and nobody may require it there (§3.9).
 */
export const imapsieve: Extension = {
  capability: 'imapsieve',
  offered: ({ imapEvents }) => imapEvents,
};
