import { quotaWarning } from '../quota.ts';
import { Selected } from '../selected.ts';
import type { SelectCommand } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';
import { listLine } from '../write/list.ts';

/**
 * SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1; RFC 7162 §3.1.8). The mailbox selected before is
 * left first, whether or not the new one can be opened. What IMAP4rev2 dropped (RECENT, UNSEEN) is told only to those who
 * did not enable it, and LIST only to those who did (Appendix E 10-12).
 */
export async function select(session: Session, command: SelectCommand): Promise<Completion> {
  if (session.selected !== null) {
    session.unselect();
    // RFC 9051 §7.1 CLOSED: from here on everything is about the new mailbox.
    session.untagged('OK [CLOSED] Ok');
  }
  if (command.condstore) session.enableCondstore();
  const name = session.mailboxName(command.mailbox);
  const selected = await Selected.open(session, name, command.name === 'EXAMINE');
  if (session.closed) {
    selected.close();
    return {};
  }
  session.selected = selected;
  const { mailbox, view } = selected;
  const { snapshot } = mailbox;
  let recent = '';
  if (!session.rev2) {
    recent = `* ${view.recent.size} RECENT\r\n`;
    const unseen = snapshot.unseen === 0
      ? 0
      : view.uids.positionOf(snapshot.firstUnseen ?? mailbox.firstUnseen());
    if (unseen > 0) recent += `* OK [UNSEEN ${unseen}] Ok\r\n`;
  }
  session.write(
    `* ${selected.definedFlags()}\r\n* OK [${selected.permanentFlags()}] Ok\r\n` +
      `* ${view.exists} EXISTS\r\n${recent}* OK [UIDVALIDITY ${snapshot.uidvalidity}] Ok\r\n` +
      `* OK [UIDNEXT ${snapshot.uidnext}] Ok\r\n* OK [HIGHESTMODSEQ ${snapshot.highestmodseq}] Ok\r\n`,
  );
  const warning = quotaWarning(session, mailbox);
  if (warning !== null) session.untagged(`NO [ALERT] ${warning}`);
  if (session.rev2) {
    const { names } = session.user;
    const external = names.toExternal(name);
    session.write(listLine('LIST', {
      attributes: [],
      separator: names.separator,
      name: external,
      // RFC 9051 §6.3.9.7: the client wrote the name in another way.
      ...(external === command.mailbox ? {} : { oldname: command.mailbox }),
    }, true));
  }
  return { code: selected.readOnly ? 'READ-ONLY' : 'READ-WRITE' };
}
