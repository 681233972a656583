import { describe, expect, test } from 'bun:test';
import { mayAnnounceExpunges, SessionView } from '../../src/imap/view.ts';
import { UidSet } from '../../src/store/uidset.ts';
import type { Random } from '../harness/random.ts';
import { forSeeds } from './seeds.ts';

/** A client as RFC 9051 describes one: it counts, and looks up UIDs only for what EXISTS announced. */
class ClientModel {
  /** UIDs by sequence number. */
  readonly uids: number[];

  constructor(uids: readonly number[]) {
    this.uids = [...uids];
  }

  expunge(sequence: number): void {
    expect(sequence).toBeGreaterThanOrEqual(1);
    expect(sequence).toBeLessThanOrEqual(this.uids.length);
    this.uids.splice(sequence - 1, 1);
  }

  exists(count: number, view: SessionView): void {
    expect(count).toBeGreaterThan(this.uids.length);
    while (this.uids.length < count) this.uids.push(view.uids.at(this.uids.length + 1));
  }
}

/** A session; changes wait in its feed, in order, until it hears of them. */
interface Watcher {
  readonly view: SessionView;
  readonly client: ClientModel;
  readonly flags: Map<number, number>;
  readonly feed: (() => void)[];
}

/** One mailbox, several sessions: what each was told, against what each must find out. */
class World {
  mailbox: number[] = [];
  uidnext = 1;
  readonly flags = new Map<number, number>();
  readonly sessions: Watcher[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.append();
  }

  select(): void {
    this.sessions.push({
      view: new SessionView(UidSet.fromSorted(this.mailbox)),
      client: new ClientModel(this.mailbox),
      flags: new Map(this.flags),
      feed: [],
    });
  }

  append(): void {
    const uids: number[] = [];
    for (let i = this.#random.below(4); i >= 0; i--) {
      this.uidnext += this.#random.pick([1, 1, 1, 5]);
      uids.push(this.uidnext++);
    }
    this.mailbox.push(...uids);
    for (const uid of uids) this.flags.set(uid, 0);
    this.#tell(({ view }) => view.arrived(UidSet.fromSorted(uids)));
  }

  expunge(): void {
    const gone = this.mailbox.filter(() => this.#random.oneIn(4));
    this.mailbox = this.mailbox.filter((uid) => !gone.includes(uid));
    this.#tell(({ view }) => view.expunged(UidSet.fromSorted(gone)));
    // Who expunges knows at once, and hears of it again.
    if (this.#random.oneIn(2)) this.#random.pick(this.sessions).view.expunged(UidSet.fromSorted(gone));
  }

  change(): void {
    const changed = this.mailbox.filter(() => this.#random.oneIn(4));
    for (const uid of changed) this.flags.set(uid, (this.flags.get(uid) ?? 0) + 1);
    this.#tell(({ view }) => view.flagsChanged(UidSet.fromSorted(changed)));
  }

  #tell(hear: (watcher: Watcher) => void): void {
    for (const watcher of this.sessions) watcher.feed.push(() => hear(watcher));
  }

  /** What a session sends at the end of a command; `expunges` by the command's kind. */
  announce(expunges: boolean): void {
    const { view, client, flags, feed } = this.#random.pick(this.sessions);
    const late = expunges ? 0 : this.#random.below(feed.length + 1);
    for (const hear of feed.splice(0, feed.length - late)) hear();
    const counted = [...client.uids];
    if (expunges) { for (const sequence of view.announceExpunges()) client.expunge(sequence); }
    else expect(view.uids.size).toBe(counted.length);
    const exists = view.announceExists();
    if (exists !== null) client.exists(exists, view);
    for (const uid of client.uids) if (!counted.includes(uid)) flags.set(uid, this.flags.get(uid) ?? -1);
    for (const uid of view.announceFlags()) {
      expect(client.uids).toContain(uid);
      flags.set(uid, this.flags.get(uid) ?? -1);
    }
    expect([...view.uids]).toEqual(client.uids);
    expect(view.exists).toBe(client.uids.length);
    expect([...view.present, ...view.gone].sort((a, b) => a - b)).toEqual(client.uids);
    if (late > 0) return;
    expect([...view.gone]).toEqual(client.uids.filter((uid) => !this.mailbox.includes(uid)));
    if (!expunges) return;
    // Everything was told: the client's picture is the mailbox.
    expect(view.pending).toBe(false);
    expect(client.uids).toEqual(this.mailbox);
    expect(client.uids.map((uid) => flags.get(uid))).toEqual(this.mailbox.map((uid) => this.flags.get(uid)));
  }
}

test('clients of several sessions find out exactly what happened', () => {
  forSeeds(500, (random) => {
    const world = new World(random);
    world.select();
    for (let step = 0; step < 40; step++) {
      switch (random.below(7)) {
        case 0:
          if (world.sessions.length < 4) world.select();
          break;
        case 1:
        case 2:
          world.append();
          break;
        case 3:
          world.expunge();
          break;
        case 4:
          world.change();
          break;
        default:
          world.announce(random.oneIn(2));
      }
    }
    world.announce(true);
  });
});

describe('SessionView', () => {
  test('a sequence number keeps its message until the expunge is announced', () => {
    const view = new SessionView(UidSet.of(10, 20, 30, 40));
    view.expunged(UidSet.of(20, 30));
    expect(view.uids.at(4)).toBe(40);
    expect(view.announceExpunges()).toEqual([3, 2]);
    expect(view.uids.at(2)).toBe(40);
    expect(view.announceExpunges()).toEqual([]);
  });

  test('a message that came and went between two commands is never told of', () => {
    const view = new SessionView(UidSet.of(1));
    view.arrived(UidSet.of(2, 3), UidSet.of(2, 3));
    view.expunged(UidSet.of(2, 3));
    expect(view.pending).toBe(false);
    expect(view.announceExists()).toBeNull();
    expect(view.recent.isEmpty).toBe(true);
  });

  test('an expunge that is heard of before the arrival leaves nothing', () => {
    const view = new SessionView(UidSet.of(1));
    view.expunged(UidSet.of(2));
    view.arrived(UidSet.of(2, 3), UidSet.of(2, 3));
    expect(view.announceExists()).toBe(2);
    view.expunged(UidSet.of(2));
    expect(view.pending).toBe(false);
    expect([...view.uids]).toEqual([1, 3]);
    expect([...view.recent]).toEqual([3]);
  });

  test('nothing slips in below what was announced', () => {
    const view = new SessionView(UidSet.of(1, 9));
    view.arrived(UidSet.of(5, 10));
    expect(view.announceExists()).toBe(3);
    expect([...view.uids]).toEqual([1, 9, 10]);
  });

  test('a message that was there at SELECT does not arrive again', () => {
    const view = new SessionView(UidSet.range(1, 3));
    view.arrived(UidSet.of(3));
    expect(view.announceExists()).toBeNull();
    view.arrived(UidSet.of(3, 4));
    expect(view.announceExists()).toBe(4);
  });

  test('flags just sent are not sent again', () => {
    const view = new SessionView(UidSet.range(1, 3));
    view.flagsChanged(UidSet.range(1, 3));
    view.flagsSent(UidSet.of(2));
    expect([...view.announceFlags()]).toEqual([1, 3]);
    expect(view.announceFlags().isEmpty).toBe(true);
  });

  test('\\Recent goes with the message', () => {
    const view = new SessionView(UidSet.range(1, 3), UidSet.of(3));
    view.arrived(UidSet.of(4, 5), UidSet.of(4, 5));
    view.expunged(UidSet.of(3));
    view.announceExpunges();
    view.announceExists();
    expect([...view.recent]).toEqual([4, 5]);
    view.arrived(UidSet.of(6, 7));
    view.announceExists();
    view.becameRecent(UidSet.range(6, 9));
    expect([...view.recent]).toEqual([4, 5, 6, 7]);
  });

  test('a hundred thousand messages without gaps stay one run', () => {
    const view = new SessionView(UidSet.range(1, 100_000));
    view.arrived(UidSet.of(100_001));
    expect(view.announceExists()).toBe(100_001);
    expect(view.uids.runCount).toBe(1);
  });

  test('expunges wait while sequence numbers are in use (RFC 9051 §7.5.1)', () => {
    const numbered = ['FETCH', 'STORE', 'SEARCH', 'SORT', 'THREAD'];
    expect(numbered.some((name) => mayAnnounceExpunges(name, false))).toBe(false);
    expect(numbered.every((name) => mayAnnounceExpunges(name, true))).toBe(true);
    expect(['NOOP', 'COPY', 'EXPUNGE', 'CHECK', 'IDLE'].every((name) => mayAnnounceExpunges(name, false)))
      .toBe(true);
  });
});
