import { limitError, userError } from '../../errors.ts';
import type { MailboxName, QuotaRoot, Stage } from '../../store/border.ts';
import type { AppendCommand } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';
import { appendUid } from '../write/code.ts';
import { tryCreate } from './trycreate.ts';

/**
 * APPEND, first half (RFC 9051 §6.3.12): whether the message is welcome, before a byte of it is asked for. Returns
 * where its bytes go.
 */
export function beginAppend(session: Session, command: AppendCommand): Stage {
  const limit = session.settings.maxmessagesize;
  // RFC 7889 §4
  if (limit > 0 && command.size > limit) {
    throw limitError(`Messages may have at most ${limit} bytes`, 'toobig');
  }
  if (command.size === 0) throw userError('cannot', 'A message cannot be empty');
  // RFC 3516 §4.3: literal8 is for servers that announce BINARY.
  if (command.binary) throw userError('cannot', 'Binary messages cannot be appended');
  const name = session.mailboxName(command.mailbox);
  try {
    const { rights, selectable } = session.store.info(name);
    if (!selectable) throw userError('nonexistent', 'Mailbox does not exist');
    if (!rights.includes('i')) throw userError('noperm', 'Permission denied');
  } catch (thrown) {
    throw tryCreate(thrown);
  }
  refuseOverQuota(session, name, command.size);
  return session.store.stage(limit);
}

/** Spares the client sending what cannot be kept; the store decides when the message is there. */
function refuseOverQuota(session: Session, name: MailboxName, size: number): void {
  let roots: QuotaRoot[];
  try {
    roots = session.store.quotaRoots(name);
  } catch {
    // Who may post here may not be allowed to see the quota.
    return;
  }
  for (const { storageLimit, storageUsed, messagesLimit, messagesUsed } of roots) {
    if (
      (storageLimit !== null && storageUsed + size > storageLimit) ||
      (messagesLimit !== null && messagesUsed >= messagesLimit)
    ) {
      throw userError('overquota', 'The message does not fit into the quota');
    }
  }
}

/** APPEND, second half: the message is there; it goes into the mailbox as one change. */
export async function finishAppend(
  session: Session,
  command: AppendCommand,
  stage: Stage,
): Promise<Completion> {
  const message = await stage.finish();
  try {
    const { uidvalidity, uid } = await session.store.append(
      session.mailboxName(command.mailbox),
      message,
      command.flags,
      command.internaldate?.time ?? null,
    );
    return { code: appendUid(uidvalidity, uid) };
  } catch (thrown) {
    message.abort();
    throw tryCreate(thrown);
  }
}
