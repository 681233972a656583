/** A store in memory with what LMTP uses of it. */

import { MailError, serverError, userError } from '../../src/errors.ts';
import type {
  Delivery,
  DeliveryRequest,
  DeliveryResult,
  DeliveryTarget,
  Secrets,
  Stage,
  StagedMessage,
  Store,
  StoreAdmin,
  StoreSession,
} from '../../src/store/border.ts';

export interface Delivered {
  readonly user: string;
  readonly folder: string;
  readonly bytes: string;
}

class FakeStaged implements StagedMessage {
  aborted = false;
  constructor(readonly content: Buffer) {}
  get size(): number {
    return this.content.length;
  }
  get held(): number {
    return this.content.length;
  }
  get header(): string {
    const text = this.content.toString('latin1');
    return text.slice(0, text.indexOf('\r\n\r\n') + 4);
  }
  get messageId(): string | null {
    return /^Message-ID:\s*(\S+)/im.exec(this.header)?.[1] ?? null;
  }
  get sentDate(): number | null {
    return null;
  }
  bytes(): Uint8Array {
    return this.content;
  }
  abort(): void {
    this.aborted = true;
  }
}

export class FakeStage implements Stage {
  size = 0;
  state: 'open' | 'finished' | 'aborted' = 'open';
  readonly #chunks: Buffer[] = [];
  constructor(readonly store: FakeStore) {}

  write(chunk: Uint8Array): void {
    if (this.state !== 'open') throw new Error(`write on a stage that is ${this.state}`);
    if (this.size >= this.store.diskSize) throw serverError('No space left on device');
    if (this.store.keep) this.#chunks.push(Buffer.from(chunk));
    this.size += chunk.length;
  }
  finish(): Promise<StagedMessage> {
    if (this.state !== 'open') throw new Error(`finish of a stage that is ${this.state}`);
    this.state = 'finished';
    return Promise.resolve(new FakeStaged(Buffer.concat(this.#chunks)));
  }
  abort(): void {
    if (this.state === 'open') this.state = 'aborted';
  }
}

export class FakeStore implements Store {
  readonly users = new Set(['django', 'inge', 'michael', 'postmaster', 'bücher']);
  /** Folders beside INBOX that may be posted to. */
  readonly folders = new Set(['django/Lists']);
  readonly overQuota = new Set<string>();
  readonly delivered: Delivered[] = [];
  readonly requests: DeliveryRequest[] = [];
  readonly stages: FakeStage[] = [];
  /** Calls of deliver: how many targets each had. */
  readonly calls: { targets: number; ignoreQuota: boolean }[] = [];
  /** Userids whose delivery fails. */
  readonly failing = new Map<string, MailError>();
  /** Userids that have every message already. */
  readonly duplicates = new Set<string>();
  /** Bytes a stage takes. */
  diskSize = Infinity;
  /** Set: stage() throws it. */
  stageError: MailError | undefined;
  /** Whether messages are kept at all. */
  keep = true;
  /** Held back deliveries; call them to go on. */
  gate: Promise<void> = Promise.resolve();
  readonly secrets: Secrets = {
    get: () => null,
    list: () => [],
    page: () => [],
    set: () => Promise.resolve(),
    replace: () => Promise.resolve(true),
    remove: () => Promise.resolve(),
  };

  session(): StoreSession {
    throw new Error('LMTP needs no session');
  }
  scriptByHash(): null {
    return null;
  }
  scriptNamed(): null {
    return null;
  }
  activeScript(): null {
    return null;
  }
  get admin(): StoreAdmin {
    throw new Error('LMTP administers nothing');
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  recipient(request: DeliveryRequest): Promise<DeliveryTarget> {
    this.requests.push(request);
    const { userid, detail, size } = request;
    if (!this.users.has(userid)) return Promise.reject(userError('nouser', `no user ${userid}`));
    if (size !== null && this.overQuota.has(userid)) {
      return Promise.reject(userError('overquota', 'over quota'));
    }
    const path = detail !== null && this.folders.has(`${userid}/${detail}`) ? detail : '';
    return Promise.resolve({ name: { owner: userid, path }, userid, script: null });
  }

  stage(): FakeStage {
    if (this.stageError !== undefined) throw this.stageError;
    const stage = new FakeStage(this);
    this.stages.push(stage);
    return stage;
  }

  marked(): boolean {
    return false;
  }
  mark(): Promise<void> {
    return Promise.resolve();
  }

  async deliver(
    deliveries: readonly Delivery[],
    options: { ignoreQuota: boolean },
  ): Promise<DeliveryResult[]> {
    await this.gate;
    this.calls.push({ targets: deliveries.length, ignoreQuota: options.ignoreQuota });
    return deliveries.map(({ target, message }) => {
      const error = this.failing.get(target.userid);
      if (error !== undefined) return { target, error };
      if (this.duplicates.has(target.userid)) return { target };
      this.delivered.push({
        user: target.userid,
        folder: target.name.path,
        bytes: (message as FakeStaged).content.toString('latin1'),
      });
      return { target, uid: this.delivered.length, uidvalidity: 1 };
    });
  }
}
