/** Deliveries over a real store, with scripts, and a mailer that keeps what leaves. */

import { canonicalRecipient } from '../../src/auth/canonical.ts';
import type { Arrival, ArrivingRecipient, Verdict } from '../../src/delivery/arrival.ts';
import { Deliverer } from '../../src/delivery/deliverer.ts';
import type { DsnNotify, Envelope, Mailer, Outcome, OutgoingMessage } from '../../src/outgoing/envelope.ts';
import type { MailboxName, Store } from '../../src/store/border.ts';
import { flagNames } from '../../src/store/flags.ts';
import { type LogLine, recordingLog } from '../lmtp/peer.ts';
import { type Given, TestFolders, TestStore } from '../store/teststore.ts';

/** A message that left. */
export interface Sent {
  readonly envelope: Envelope;
  /** Bytes as characters. */
  readonly text: string;
}

/** Takes everything, unless told otherwise for an address. */
export class KeepingMailer implements Mailer {
  readonly sent: Sent[] = [];
  readonly fates = new Map<string, 'temporary' | 'permanent'>();
  /** Does not know until when something is to be delivered. */
  untimed = false;

  send(envelope: Envelope, message: OutgoingMessage): Promise<Outcome[]> {
    const text = Buffer.concat([...message.chunks()]).toString('latin1');
    if (text.length !== message.size) throw new Error(`${text.length} octets, announced ${message.size}`);
    const outcomes = envelope.recipients.map(({ address }): Outcome => {
      const kind = this.fates.get(address) ?? 'sent';
      const untimed = this.untimed && kind === 'sent' && envelope.deliverBy !== undefined;
      return { address, kind, status: '', text: kind, ...(untimed ? { untimed } : {}) };
    });
    if (outcomes.some(({ kind }) => kind === 'sent')) this.sent.push({ envelope, text });
    return Promise.resolve(outcomes);
  }
}

export interface Letter {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly notify?: DsnNotify;
  readonly originalRecipient?: string;
  readonly arrival?: Partial<Arrival>;
}

let serial = 0;

/** A message with a Message-ID of its own. @param fields whole lines */
export function letter(fields = '', body = 'Hello\r\n'): string {
  return `Return-Path: <anna@example.net>\r\n${fields}From: Anna <anna@example.net>\r\nTo: bert@mail.example.org\r\n` +
    `Subject: hello\r\nMessage-ID: <${++serial}@example.net>\r\nDate: Mon, 20 Feb 2012 18:28:19 +0100\r\n\r\n${body}`;
}

/** A store of which some is done otherwise; `faults` may be changed while it is used. */
function faulty(store: Store, faults: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(faults, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export class PostRoom {
  readonly folders: TestFolders;
  readonly test: TestStore;
  readonly mailer = new KeepingMailer();
  readonly log: LogLine[] = [];
  readonly deliverer: Deliverer;

  /**
   * @param faults what of the store is done otherwise than by the store
   * @param mailer what hands over mail instead of `mailer`
   */
  constructor(given: Given = {}, faults: Partial<Store> = {}, mailer?: Mailer) {
    this.folders = new TestFolders({ servername: 'mail.example.org', ...given });
    this.test = new TestStore(this.folders);
    const { settings } = this.folders;
    this.deliverer = new Deliverer({
      settings,
      store: faulty(this.test.store, faults),
      mailer: mailer ?? this.mailer,
      log: recordingLog(this.log),
    });
  }

  async close(): Promise<void> {
    await this.test.close();
    this.folders.remove();
  }

  /** Makes a user, and gives a script where there is one. */
  async user(userid: string, script?: string): Promise<void> {
    const session = this.test.as(userid);
    await session.login();
    if (script === undefined) return;
    await session.scripts.put('main', Buffer.from(script, 'utf8'), { maxScripts: 9 });
    await session.scripts.setActive('main');
  }

  /** Delivers as LMTP does; recipients are `user`, `user+detail` or with a domain. */
  async deliver(
    text: string,
    { from = 'anna@example.net', to = ['bert'], ...given }: Letter = {},
  ): Promise<Verdict[]> {
    const { settings } = this.folders;
    const recipients = await Promise.all(to.map(async (address): Promise<ArrivingRecipient> => {
      const at = address.lastIndexOf('@');
      const local = at < 0 ? address : address.slice(0, at);
      const domain = at < 0 ? '' : address.slice(at + 1);
      const { userid, detail } = canonicalRecipient(local, domain, settings, { interfaceDomain: '' });
      const target = await this.test.store.recipient({ userid, detail, poster: null, size: null });
      return { address, target, notify: given.notify, originalRecipient: given.originalRecipient };
    }));
    const stage = this.test.store.stage(0);
    stage.write(Buffer.from(text, 'latin1'));
    const arrival: Arrival = {
      queueId: `q${++serial}`,
      sender: from,
      smtputf8: false,
      remoteAddress: '192.0.2.1',
      clientName: 'mx.example.org',
      auth: null,
      ret: undefined,
      envid: undefined,
      deliverBy: undefined,
      begun: Date.now(),
      ignoreQuota: false,
      log: recordingLog(this.log),
      ...given.arrival,
    };
    return await this.deliverer.deliver(arrival, recipients, await stage.finish());
  }

  /** The messages of a mailbox in order, bytes as characters; null where there is no such mailbox. */
  async messages(owner: string, path = ''): Promise<string[] | null> {
    return (await this.#read({ owner, path }))?.map(({ text }) => text) ?? null;
  }

  /** Their flags. */
  async flags(owner: string, path = ''): Promise<string[][]> {
    return (await this.#read({ owner, path }))?.map(({ flags }) => flags) ?? [];
  }

  async #read(wanted: MailboxName): Promise<{ text: string; flags: string[] }[] | null> {
    const session = this.test.as(wanted.owner, { admin: wanted.owner === '' });
    const there = session.list().some(({ name: { owner, path } }) =>
      owner === wanted.owner && path === wanted.path
    );
    if (!there) return null;
    const mailbox = await session.select(wanted, true, () => {});
    const found = mailbox.narrow(mailbox.uids(), 0, 1000).map((row) => {
      const content = mailbox.content(row);
      const text = Buffer.from(content.read(0, content.size)).toString('latin1');
      content.close();
      return { text, flags: flagNames(row[1], row[2], mailbox.keywords) };
    });
    mailbox.close();
    return found;
  }
}
