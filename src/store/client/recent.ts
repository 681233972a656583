/**
 * Up to where the users of this process were told of messages, so that of a thousand sessions with the same mailbox one
 * asks the writer whose \Recent ones the new messages are (RFC 3501 §2.3.2), and the index need not have it yet.
 */
import { limits } from '../../limits.ts';
import type { Identity } from '../border.ts';
import { UidSet } from '../uidset.ts';
import type { Change } from '../writer/requests.ts';

/** Whose claims of which mailbox. */
export interface RecentPlace {
  readonly owner: number;
  readonly mailbox: number;
  readonly by: Identity;
}

type Ask = (change: Extract<Change, { op: 'recent' }>) => Promise<{ after: number; upTo: number }>;

export class RecentTold {
  private readonly known = new Map<string, number>();
  /** Questions under way. They never reject. */
  private readonly asked = new Map<string, Promise<void>>();

  /** The UID up to which all messages are known to have been somebody's \Recent ones. */
  upTo(place: RecentPlace): number {
    return this.known.get(keyOf(place)) ?? 0;
  }

  /** Whether somebody's claim is under way. */
  isAsked(place: RecentPlace): boolean {
    return this.asked.has(keyOf(place));
  }

  /** Claims what nobody was told of up to a UID; returns what is the caller's. */
  async claim(place: RecentPlace, upTo: number, ask: Ask): Promise<UidSet> {
    const key = keyOf(place);
    for (;;) {
      if ((this.known.get(key) ?? 0) >= upTo) return UidSet.empty;
      const before = this.asked.get(key);
      if (before === undefined) break;
      await before;
    }
    const claimed = await this.ask(key, { op: 'recent', ...place, upTo }, ask);
    return claimed.upTo > claimed.after ? UidSet.range(claimed.after + 1, claimed.upTo) : UidSet.empty;
  }

  /** Up to where others claimed, as the writer knows it: for those who only look. */
  async look(place: RecentPlace, ask: Ask): Promise<number> {
    return (await ask({ op: 'recent', ...place, upTo: 0 })).after;
  }

  private async ask(
    key: string,
    change: Parameters<Ask>[0],
    ask: Ask,
  ): Promise<{ after: number; upTo: number }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked.set(key, promise);
    try {
      const answer = await ask(change);
      if (this.known.size >= limits.store_known_owners.value) this.known.clear();
      this.known.set(key, answer.upTo);
      return answer;
    } finally {
      this.asked.delete(key);
      resolve();
    }
  }
}

function keyOf({ owner, mailbox, by }: RecentPlace): string {
  return `${owner}/${mailbox}/${by.userid}`;
}
