/**
 * Scripts for what users do with messages by IMAP (RFC 6785): one run per message, after the change is durable.
 *
 * Invariants:
 * 1. Nobody waits for a script, and none takes anything back: what fails is logged, the message stays as it is (§3.1).
 * 2. What a script does is no event: no script causes another one (§2.2.3, §6).
 * 3. Memory is bounded: `limits.delivery_events` messages wait; those beyond are told to the log.
 */

import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import { parseDate } from '../mime/date.ts';
import { headerField } from '../mime/header.ts';
import { ScriptCache } from '../sieve/cache.ts';
import type { CompileOptions } from '../sieve/compile.ts';
import { compile } from '../sieve/extensions.ts';
import { run } from '../sieve/machine.ts';
import { toOctets } from '../sieve/octets.ts';
import { type Action, Result } from '../sieve/result.ts';
import type { Program } from '../sieve/run.ts';
import type { Settings as SieveSettings } from '../sieve/settings.ts';
import type {
  Identity,
  ListedMailbox,
  Mailbox,
  MailboxName,
  Placement,
  StagedMessage,
  StoreSession,
} from '../store/border.ts';
import { flagNames } from '../store/flags.ts';
import { Namespace } from '../store/names.ts';
import { UidSet } from '../store/uidset.ts';
import type { Arrival } from './arrival.ts';
import { send } from './courtesy/send.ts';
import type { ExternalLists } from './externallists.ts';
import type { ExternalPrograms } from './externalprograms.ts';
import { makeHost } from './host.ts';
import { interpret } from './interpret.ts';
import { allowedCapabilities, sieveSettings } from './language.ts';
import type { Notifications } from './notifications.ts';
import { hasUse } from './filing.ts';
import type { Occasion } from './occasion.ts';
import { scriptOwner } from './owner.ts';
import type { DelivererParts } from './parts.ts';
import type { Plan } from './plan.ts';
import { makeOccasion } from './script.ts';
import { stageInTurns, turn } from './turns.ts';

/** What a user did. */
export interface MailboxEvent {
  readonly cause: 'APPEND' | 'COPY' | 'FLAG';
  readonly user: Identity;
  /** Where the messages are now. */
  readonly mailbox: MailboxName;
  readonly uids: UidSet;
  /** Of FLAG: the flags that were set or removed. */
  readonly changedFlags: readonly string[];
}

/** What is for the arrival of new mail (§3.11), or asks for an envelope there is not (§4.6): no script of these may require it. */
const NOT_HERE: ReadonlySet<string> = new Set([
  'reject',
  'ereject',
  'vacation',
  'vacation-seconds',
  'vnd.cyrus.snooze',
  'envelope',
  'envelope-dsn',
  'envelope-deliverby',
]);

export class MailboxEvents {
  readonly #parts: DelivererParts;
  readonly #programs: ExternalPrograms;
  readonly #lists: ExternalLists;
  readonly #notifications: Notifications;
  readonly #language: SieveSettings;
  readonly #options: CompileOptions;
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(
    parts: DelivererParts,
    programs: ExternalPrograms,
    lists: ExternalLists,
    notifications: Notifications,
  ) {
    this.#parts = parts;
    this.#programs = programs;
    this.#lists = lists;
    this.#notifications = notifications;
    this.#language = sieveSettings(parts.settings);
    this.#options = {
      settings: this.#language,
      allowed: new Set(allowedCapabilities(parts.settings).filter((name) => !NOT_HERE.has(name))),
      cache: new ScriptCache(),
      maxSize: Number.MAX_SAFE_INTEGER,
    };
  }

  /** Something has happened; runs the mailbox's script behind those that wait. Never throws. */
  happened(event: MailboxEvent): void {
    const { log, settings } = this.#parts;
    if (!settings.imapsieve || event.uids.isEmpty) return;
    const count = event.uids.size;
    if (this.#waiting + count > limits.delivery_events.value) {
      log.warn('event scripts not run, too many wait', { mailbox: event.mailbox.path, messages: count });
      return;
    }
    this.#waiting += count;
    this.#tail = this.#tail.then(() => this.#run(event)).catch((thrown: unknown) => {
      log.error('event script failed', { error: asMailError(thrown) });
    }).finally(() => {
      this.#waiting -= count;
    });
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    return this.#tail;
  }

  async #run(event: MailboxEvent): Promise<void> {
    const { store } = this.#parts;
    const { mailbox, user } = event;
    const name = store.session(user).eventScript(mailbox);
    if (name === null) return;
    // The script is the owner's, or one for all; it has its owner's rights, in a shared mailbox those of who acts.
    const owner = mailbox.owner === '' || mailbox.owner.startsWith('@') ? user.userid : mailbox.owner;
    const content = store.scriptNamed(owner, name) ?? store.scriptNamed('', name);
    if (content === null) return;
    const hash = new Bun.CryptoHasher('sha256').update(content).digest('hex');
    const { program, diagnostics } = compile(content, { ...this.#options, name, hash });
    if (program === null) {
      const [first] = diagnostics.filter(({ severity }) => severity === 'error');
      this.#parts.log.warn('event script cannot be run', {
        user: owner,
        script: name,
        problem: first === undefined ? '' : `line ${first.line}, column ${first.column}: ${first.text}`,
      });
      return;
    }
    const session = store.session({ userid: owner, admin: false, groups: [], groupsUnknown: true });
    const opened = await session.select(mailbox, false, () => {});
    try {
      for (const uid of event.uids) {
        await turn();
        await this.#runOver(uid, event, program, owner, session, opened);
      }
    } finally {
      opened.close();
    }
  }

  async #runOver(
    uid: number,
    event: MailboxEvent,
    program: Program,
    owner: string,
    session: StoreSession,
    mailbox: Mailbox,
  ): Promise<void> {
    const [row] = mailbox.narrow(UidSet.of(uid), 0, 1);
    if (row === undefined) return; // expunged meanwhile
    const content = mailbox.content(row);
    const bytes = Uint8Array.from(content.read(0, content.size));
    content.close();
    const occasion = this.#occasion(event, owner, bytes);
    const result = new Result();
    const before = flagNames(row[1], row[2], mailbox.keywords);
    result.flags = before;
    const host = makeHost(occasion);
    const outcome = await run(program, {
      message: occasion.message,
      envelope: { from: '', to: toOctets(occasion.owner.address), originalTo: null, auth: null },
      host: {
        ...host,
        environment: (item) => this.#environment(item, event, occasion) ?? host.environment(item),
      },
      settings: this.#language,
      separators: this.#parts.settings.recipient_delimiter,
      result,
    });
    if (outcome.error !== null) {
      const { line, column, text } = outcome.error;
      occasion.log.warn('event script failed', { problem: `line ${line}, column ${column}: ${text}` });
      return;
    }
    const actions = outcome.result.decided();
    const kept = actions.filter((action) => action.kind === 'keep');
    const plan = interpret(actions.filter(elsewhere), occasion);
    const done = await this.#carryOut(plan, bytes, session, occasion);
    const last = kept.at(-1);
    // What nobody else has is not taken away (§3.1).
    if (last === undefined && !done) return;
    if (last === undefined) await mailbox.store(UidSet.of(uid), 'add', ['\\Deleted']);
    else if (!sameFlags(last.placement.flags, before)) {
      await mailbox.store(UidSet.of(uid), 'replace', last.placement.flags);
    }
  }

  /**
   * Copies, forwards, programs and notifications, each for itself: nothing here is lost by the failure of another. False if the
   * message must stay where it is, as some who should have it do not.
   */
  async #carryOut(
    plan: Plan,
    bytes: Uint8Array,
    session: StoreSession,
    { log, owner, store }: Occasion,
  ): Promise<boolean> {
    let done = true;
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (thrown) {
        done = false;
        log.warn('not all done', { what, error: asMailError(thrown) });
      }
    };
    for (const { content, placements } of plan.filings) {
      for (const placement of placements) {
        // Kept where mail is kept by default: that is where it lies.
        if (placement.byAddress === true) {
          done = false;
          continue;
        }
        await attempt('fileinto', async () => {
          const { create, flags = [], specialUse } = placement;
          const there = wanted(session.list(), placement);
          const mailbox = there?.name ?? placement.mailbox;
          if (create === true && there === undefined) {
            await session.create(mailbox, specialUse === undefined ? [] : [specialUse]);
          }
          const message = await stageInTurns(session.stage(0), content ?? [bytes]);
          await session.append(mailbox, [{ message, flags, internaldate: null }]);
        });
      }
    }
    for (const { call } of plan.pipes) {
      const { failed } = await this.#programs.run(call, owner.userid);
      if (failed === null) continue;
      log.warn('not piped', { program: call.name, reason: failed });
      done = false;
    }
    for (const sending of [...plan.forwards, ...plan.courtesies]) {
      await attempt(sending.what, async () => {
        const outcomes = await send(this.#parts.mailer, sending, log);
        const sent = outcomes.some(({ kind }) => kind === 'sent');
        if (sent && sending.mark !== null) await store.mark(owner.userid, [sending.mark]);
        if (!sent && plan.forwards.includes(sending)) done = false;
      });
    }
    if (plan.marks.length > 0) await attempt('marks', () => store.mark(owner.userid, plan.marks));
    return done;
  }

  #occasion(event: MailboxEvent, owner: string, bytes: Uint8Array): Occasion {
    const { settings, store, log } = this.#parts;
    const { address } = scriptOwner(owner, owner, settings);
    const arrival: Arrival = {
      queueId: `event${process.pid}.${++this.#serial}`,
      // §3.4: a forward is from the owner of the mailbox.
      sender: address,
      smtputf8: false,
      remoteAddress: '',
      clientName: '',
      auth: event.user,
      ret: undefined,
      envid: undefined,
      deliverBy: undefined,
      begun: Date.now(),
      ignoreQuota: false,
      log,
    };
    const target = { name: event.mailbox, userid: owner, script: null };
    return makeOccasion({
      settings,
      store,
      log: log.child({ user: owner, cause: event.cause }),
      programs: this.#programs,
      lists: this.#lists,
      notifications: this.#notifications,
      arrival,
      forwarded: new Set(),
      recipient: { address, target, notify: undefined, originalRecipient: undefined },
      staged: storedMessage(bytes),
    });
  }

  /** §4 */
  #environment(
    item: string,
    { cause, changedFlags, mailbox, user }: MailboxEvent,
    { owner }: Occasion,
  ): string | null {
    const { settings } = this.#parts;
    switch (item) {
      case 'location':
        return 'MS';
      case 'phase':
        return 'post';
      case 'imap.cause':
        return cause;
      case 'imap.user':
        return user.userid;
      case 'imap.email':
        return scriptOwner(user.userid, user.userid, settings).address;
      case 'imap.mailbox':
        return new Namespace(settings, { userid: owner.userid, admin: false, groups: [] }).toExternal(
          mailbox,
        );
      case 'imap.changedflags':
        return cause === 'FLAG' ? changedFlags.join(' ') : '';
      default:
        return null;
    }
  }
}

/** The mailbox by its object id (RFC 9042 §4), by its special use (RFC 8579 §4), else by its name, as where mail is delivered. */
function wanted(
  listed: readonly ListedMailbox[],
  { mailbox: { owner, path }, mailboxid, specialUse }: Placement,
): ListedMailbox | undefined {
  const there = listed.filter(({ name, selectable }) => selectable && name.owner === owner);
  return (mailboxid === undefined ? undefined : there.find((each) => each.mailboxid === mailboxid)) ??
    (specialUse === undefined ? undefined : there.find((each) => hasUse(each, specialUse))) ??
    there.find(({ name }) => name.path === path);
}

function elsewhere({ kind }: Action): boolean {
  return kind !== 'keep' && kind !== 'discard';
}

function sameFlags(left: readonly string[], right: readonly string[]): boolean {
  const folded = new Set(right.map((flag) => flag.toLowerCase()));
  return left.length === right.length && left.every((flag) => folded.has(flag.toLowerCase()));
}

/** A message that lies in a mailbox, as something scripts can run over. */
function storedMessage(bytes: Uint8Array): StagedMessage {
  const text = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(bytes.length, limits.mime_header_block.value),
  ).toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  const header = end === null ? text : text.slice(0, end.index + end[0].length);
  return {
    size: bytes.length,
    messageId: /^Message-ID:[ \t]*(<[^>\r\n]*>)/im.exec(header)?.[1] ?? null,
    sentDate: dateOf(header),
    header,
    held: 0,
    bytes: () => bytes,
    abort: () => {},
  };
}

function dateOf(header: string): number | null {
  const value = headerField(Buffer.from(header, 'latin1'), 'Date');
  return value === null ? null : parseDate(value)?.seconds ?? null;
}
