/**
 * Which messages sessions were told of (\Recent, RFC 3501 §2.3.2): decided at once in memory, logged a moment later, many
 * claims as one. Nobody waits for a sync, and a mailbox that gets mail all the time writes one record for all of it.
 *
 * Invariants
 * 1. Of two claims of the same message the first gets it, whichever processes they come from.
 * 2. A claim that was not logged when the writer died is forgotten: the next session is told of these messages as \Recent
 *    once more, which is what the RFC wants where nobody knows who was first.
 */
import { randomUUID } from '../../crypto.ts';
import { MailError } from '../../errors.ts';
import { effectiveRights, hasRight } from '../rights.ts';
import { noMailbox, type WriterState } from './context.ts';
import type { Change, ChangeRequest } from './requests.ts';

type Claim = Extract<Change, { op: 'recent' }>;
type Told = Extract<Change, { op: 'told' }>;

/** Milliseconds from a claim until it is logged. */
const DELAY = 2000;

/** Claims that wait before they are logged without delay. */
const MOST = 1000;

export class RecentClaims {
  /** The highest claim not known to be logged, by owner, mailbox and user. */
  private waiting = new Map<string, Told>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param log makes claims durable; resolves when they are in the index, or cannot be */
  constructor(
    private readonly state: WriterState,
    private readonly log: (request: ChangeRequest) => Promise<unknown>,
  ) {}

  /** The messages above `after` up to `upTo` are the asker's \Recent ones. Throws as any change of the mailbox would. */
  claim(change: Claim): { after: number; upTo: number } {
    const { state } = this;
    const owner = state.directory.ownerById(change.owner);
    if (owner === null) throw noMailbox();
    // Only rows in memory are looked at: a batch or a long change may be under way.
    const index = state.owners.open(owner);
    const row = index.mailboxes.get(change.mailbox);
    if (row === undefined || row.deletedat !== null) throw noMailbox();
    const rights = effectiveRights(row.acl, change.by, owner.userid, state.settings);
    if (!hasRight(rights, 'l') && !hasRight(rights, 'r')) throw noMailbox();
    const { userid } = change.by;
    const key = `${owner.id}/${row.id}/${userid}`;
    const logged = userid === owner.userid ? row.recentuid : index.seen(row.id, userid)?.recentuid ?? 0;
    const after = Math.max(logged, this.waiting.get(key)?.upTo ?? 0);
    const upTo = Math.min(row.uidnext - 1, change.upTo);
    if (after >= upTo) return { after, upTo: after };
    this.waiting.set(key, { ...change, op: 'told', upTo });
    if (this.waiting.size >= MOST) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), DELAY);
    return { after, upTo };
  }

  /** Nothing is claimed or logged any more. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.waiting.clear();
  }

  /** Has everything that waits logged now. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const [key, change] of this.waiting) {
      const done = (): void => {
        if (this.waiting.get(key) === change) this.waiting.delete(key);
      };
      // A mailbox that is gone has none; one that is closed for repair tells of its messages again.
      this.log({ id: randomUUID(), origin: '', change }).then(done, (error: unknown) => {
        if (!(error instanceof MailError)) throw error;
        done();
      });
    }
  }
}
