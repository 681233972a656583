/**
 * APPEND (RFC 9051 §6.3.12) of one message or several (RFC 3502): the messages come in one after the other, and go into
 * the mailbox together, as one change.
 *
 * Invariants
 * 1. Each message is welcome before a byte of it is asked for, and complete before the next one is. A small one that comes
 *    unasked (a non-synchronizing literal, RFC 7888) is not looked at here: its bytes are here as soon as an answer could be,
 *    and the store decides when they are. Looking at mailbox and quota was a quarter of a worker's time for an APPEND.
 * 2. Nothing is in the mailbox before `finish`; whatever fails before or in it, `abort` leaves nothing of any message.
 * 3. The messages that wait take at most `imap_append_held` of memory and the header of one more.
 */

import { limitError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { AppendMessage, MailboxName, QuotaRoot, Stage } from '../../store/border.ts';
import type { AnnouncedMessage, AppendCommand } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';
import { appendUid } from '../write/code.ts';
import { tryCreate } from './trycreate.ts';

/** An APPEND whose messages are coming in. */
export class PendingAppend {
  readonly #session: Session;
  readonly #name: MailboxName;
  readonly #complete: AppendMessage[] = [];
  /** The message that is coming in. */
  #current: { readonly stage: Stage; readonly announced: AnnouncedMessage } | undefined;
  /** Bytes of all messages. */
  #size = 0;
  /** Bytes of memory that bodies take, and that the complete messages take in all. */
  #bodies = 0;
  #held = 0;
  #aborted = false;
  /** The mailbox is there and takes messages. */
  #admitted = false;

  /** Throws where the name is none. */
  constructor(session: Session, command: AppendCommand) {
    this.#session = session;
    this.#name = session.mailboxName(command.mailbox);
  }

  /** Throws where this session may not put messages. */
  #refuseStranger(): void {
    if (this.#admitted) return;
    try {
      const { rights, selectable } = this.#session.store.info(this.#name);
      if (!selectable) throw userError('nonexistent', 'Mailbox does not exist');
      if (!rights.includes('i')) throw userError('noperm', 'Permission denied');
    } catch (thrown) {
      throw tryCreate(thrown);
    }
    this.#admitted = true;
  }

  /**
   * Returns where the bytes of the next message go. Throws when it is not welcome: then none of them is.
   * @param asked the client sends it only when it is asked to
   */
  async next(announced: AnnouncedMessage, asked: boolean): Promise<Stage> {
    const { size, binary } = announced;
    const { store, settings: { maxmessagesize: limit } } = this.#session;
    // RFC 7889 §4
    if (limit > 0 && size > limit) throw limitError(`Messages may have at most ${limit} bytes`, 'toobig');
    // RFC 3502: this is how a client cancels all of them.
    if (size === 0) throw userError('cannot', 'A message cannot be empty');
    // RFC 3516 §4.3: literal8 is for servers that announce BINARY.
    if (binary) throw userError('cannot', 'Binary messages cannot be appended');
    await this.#seal();
    const most = limits.imap_append_messages.value;
    if (this.#complete.length >= most) throw limitError(`APPEND takes at most ${most} messages at a time`);
    this.#size += size;
    const small = size <= limits.store_inline_body.value;
    if (asked || !small) {
      this.#refuseStranger();
      this.#refuseOverQuota();
    }
    let onDisk = false;
    if (small) {
      onDisk = this.#bodies + size > limits.imap_append_memory.value;
      if (!onDisk) this.#bodies += size;
    }
    const stage = store.stage(limit, onDisk);
    this.#current = { stage, announced };
    return stage;
  }

  /** Completes the message that has come in. */
  async #seal(): Promise<void> {
    if (this.#current === undefined) return;
    const { stage, announced: { flags, internaldate } } = this.#current;
    const message = await stage.finish();
    this.#current = undefined;
    this.#complete.push({ message, flags, internaldate: internaldate?.time ?? null });
    if (this.#aborted) {
      message.abort();
      throw userError('cannot', 'The connection was closed');
    }
    this.#held += message.held;
    if (this.#complete.length > 1 && this.#held > limits.imap_append_held.value) {
      throw limitError('The messages are too many for one APPEND; send fewer at a time', 'toobig');
    }
  }

  /** Spares the client sending what cannot be kept; the store decides when the messages are there. */
  #refuseOverQuota(): void {
    let roots: QuotaRoot[];
    try {
      roots = this.#session.store.quotaRoots(this.#name);
    } catch {
      // Who may post here may not be allowed to see the quota.
      return;
    }
    const count = this.#complete.length + 1;
    for (const { storageLimit, storageUsed, messagesLimit, messagesUsed } of roots) {
      if (
        (storageLimit !== null && storageUsed + this.#size > storageLimit) ||
        (messagesLimit !== null && messagesUsed + count > messagesLimit)
      ) {
        throw userError('overquota', `The message${count > 1 ? 's do' : ' does'} not fit into the quota`);
      }
    }
  }

  /** The messages are there; they go into the mailbox. */
  async finish(): Promise<Completion> {
    try {
      await this.#seal();
      const { uidvalidity, uids } = await this.#session.store.append(this.#name, this.#complete);
      this.#session.happened('APPEND', this.#name, uids);
      return { code: appendUid(uidvalidity, uids) };
    } catch (thrown) {
      this.abort();
      throw tryCreate(thrown);
    }
  }

  /** Throws all messages away; harmless after `finish`. */
  abort(): void {
    this.#aborted = true;
    this.#current?.stage.abort();
    for (const { message } of this.#complete) message.abort();
  }
}
