/** How much scripts notify of. */

import { limits } from '../limits.ts';

/** How many notifications each user's scripts have caused in the last hour (RFC 5436 §5). One per process. */
export class Notifications {
  readonly #begun = new Map<string, { since: number; count: number }>();

  /** Counts one more; false where it would be too many. @param now milliseconds since 1970 */
  take(userid: string, now: number): boolean {
    const known = this.#begun.get(userid);
    if (known === undefined || now - known.since >= 3_600_000) {
      if (this.#begun.size >= limits.delivery_notifiers.value) this.#begun.clear();
      this.#begun.set(userid, { since: now, count: 1 });
      return true;
    }
    return ++known.count <= limits.delivery_notifications.value;
  }
}
