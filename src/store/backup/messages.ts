/** Sending message files to a target: each content once, a few at a time, none of them held in memory. */
import { MailError } from '../../errors.ts';
import type { CopiedPart } from '../index/copied.ts';
import type { Spool } from '../spool/spool.ts';
import { inTurn } from './inturn.ts';
import type { RunFigures, Unsaved } from './manifest.ts';
import type { Tail, TailMessage } from './tail.ts';
import { objectName, type Source, type Target } from './target.ts';

/** Files on their way at a time. */
const AT_ONCE = 8;

/** A message that could not be saved because its file is not there; harmless if it was purged meanwhile. */
export interface MissingMessage {
  readonly owner: number;
  readonly part: number;
  readonly userid: string;
  readonly path: string;
}

interface OwnerFolder {
  readonly id: number;
  readonly userid: string;
  readonly folder: string;
}

type Wanted = Pick<CopiedPart, 'id' | 'hash' | 'file' | 'partition' | 'size'>;

export class Messages {
  readonly missing = new Map<string, MissingMessage>();
  /** Files whose bytes are not those that were stored. */
  readonly damaged: Unsaved[] = [];
  /** On their way: two recipients of one message do not send it twice. */
  private readonly going = new Map<string, Promise<void>>();

  constructor(
    private readonly target: Target,
    private readonly spool: Spool,
    private readonly figures: RunFigures,
  ) {}

  /** Sends what the target does not have of these parts. */
  async save(owner: OwnerFolder, parts: readonly Wanted[]): Promise<void> {
    await inTurn(parts, AT_ONCE, (part) => this.saveOne(owner, part, null));
  }

  /** The same for messages that are only in the log. */
  async saveTail(messages: readonly TailMessage[]): Promise<void> {
    await inTurn(messages, AT_ONCE, ({ owner, part, body }) => this.saveOne(owner, part, body));
  }

  /** Whatever was purged need not be there. */
  forget(tail: Tail): void {
    for (const [key, { owner, part }] of this.missing) {
      if (tail.isPurged(owner, part)) this.missing.delete(key);
    }
  }

  private async saveOne(owner: OwnerFolder, part: Wanted, body: Uint8Array | null): Promise<void> {
    const { going } = this;
    for (let other = going.get(part.hash); other !== undefined; other = going.get(part.hash)) await other;
    const done = this.send(owner, part, body).finally(() => going.delete(part.hash));
    // A failure is reported to the one who sends; whoever waits looks for itself.
    going.set(part.hash, done.catch(() => {}));
    await done;
  }

  private async send(owner: OwnerFolder, part: Wanted, body: Uint8Array | null): Promise<void> {
    const name = objectName(part.hash);
    if (await this.target.size(name) === part.size) return;
    const path = this.spool.path(part.partition, owner.folder, part.file);
    const source: Source = body === null ? { path } : { bytes: body };
    try {
      await this.target.put(name, source, part.hash);
      this.figures.objects++;
      this.figures.objectBytes += part.size;
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (error.code === 'nonexistent') {
        const { id, userid } = owner;
        this.missing.set(`${id}/${part.id}`, { owner: id, part: part.id, userid, path });
      } else if (error.code === 'corruption') {
        this.damaged.push({ userid: owner.userid, place: path, text: error.message });
      } else throw error;
    }
  }
}
