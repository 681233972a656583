import { describe, expect, test } from 'bun:test';
import { LoginLedger } from '../../../src/auth/abuse/ledger.ts';
import { limits } from '../../../src/limits.ts';
import { Random } from '../../harness/random.ts';

const RULES = { user: 4, network: 8, window: 3600, block: 300 };

describe('brute force (FIELD 71)', () => {
  test('many addresses, one user: after so many different passwords nothing is checked for it', () => {
    const ledger = new LoginLedger(RULES);
    for (let guess = 0; guess < 4; guess++) {
      expect(ledger.blocked('u', '198.51.100.9', guess)).toBe(0);
      ledger.failed('u', `10.${guess}.0.1`, `p${guess}`, guess);
    }
    expect(ledger.blocked('u', '198.51.100.9', 4)).toBe(299);
    expect(ledger.blocked('other', '198.51.100.9', 4)).toBe(0);
    expect(ledger.blocked('u', '198.51.100.9', 303)).toBe(0);
  });

  test('one network, many users: of IPv4 a /24, of IPv6 a /48', () => {
    for (
      const [guesser, near, far] of [
        [(n: number) => `192.0.2.${n}`, '192.0.2.200', '192.0.3.1'],
        [(n: number) => `2001:db8:1:${n}::${n}`, '2001:0db8:0001:ffff::1', '2001:db8:2::1'],
      ] as const
    ) {
      const ledger = new LoginLedger(RULES);
      for (let guess = 1; guess <= 8; guess++) ledger.failed(`u${guess}`, guesser(guess), `u${guess} p`, 0);
      expect(ledger.blocked('anybody', near, 0)).toBe(300);
      expect(ledger.blocked('anybody', far, 0)).toBe(0);
    }
  });

  test('the same wrong password a thousand times is one', () => {
    const ledger = new LoginLedger(RULES);
    expect(ledger.failed('u', '192.0.2.1', 'old', 0).distinct).toBe(1);
    for (let time = 1; time < 1000; time++) {
      expect(ledger.failed('u', '192.0.2.1', 'old', time)).toEqual({ distinct: 0, blocked: 0 });
    }
    expect(ledger.failed('u', '192.0.2.1', 'other', 1000).distinct).toBe(2);
  });

  test('what is older than the window counts no more', () => {
    const ledger = new LoginLedger(RULES);
    for (let guess = 0; guess < 100; guess++) {
      expect(ledger.failed('u', '192.0.2.1', `p${guess}`, guess * 1201).blocked).toBe(0);
    }
  });

  test('each block is twice as long as the one before, up to a day', () => {
    const ledger = new LoginLedger(RULES);
    const blocks: number[] = [];
    let now = 0;
    for (let round = 0; round < 11; round++) {
      for (let guess = 0; guess < 4; guess++) {
        ledger.failed('u', `10.${round}.0.1`, `p${round} ${guess}`, now);
      }
      blocks.push(ledger.blocked('u', '198.51.100.9', now));
      now += blocks.at(-1) as number;
    }
    expect(blocks).toEqual([300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, 86400, 86400]);
  });

  test('who has logged in from a network goes on from there, and is counted on his own', () => {
    const ledger = new LoginLedger(RULES);
    ledger.passed('u', '192.0.2.1', 0);
    for (let guess = 0; guess < 8; guess++) ledger.failed('u', `10.0.0.${guess}`, `p${guess}`, 1);
    for (let guess = 0; guess < 8; guess++) ledger.failed(`x${guess}`, '192.0.2.9', `x${guess} p`, 1);
    expect(ledger.blocked('u', '10.0.0.1', 1)).toBeGreaterThan(0);
    expect(ledger.blocked('x', '192.0.2.1', 1)).toBeGreaterThan(0);
    expect(ledger.blocked('u', '192.0.2.7', 1)).toBe(0);
    for (let guess = 0; guess < 4; guess++) ledger.failed('u', '192.0.2.1', `q${guess}`, 2);
    expect(ledger.blocked('u', '192.0.2.1', 2)).toBe(300);
  });

  test('what somebody got wrong before getting it right is forgotten, what others did is not', () => {
    const ledger = new LoginLedger(RULES);
    for (let guess = 0; guess < 3; guess++) ledger.failed('u', '192.0.2.1', `p${guess}`, 0);
    ledger.failed('v', '192.0.2.2', 'v p', 0);
    ledger.passed('u', '192.0.2.1', 0);
    expect(ledger.failed('u', '10.0.0.1', 'far', 0)).toEqual({ distinct: 1, blocked: 0 });
    expect(ledger.failed('w', '192.0.2.3', 'w p', 0).distinct).toBe(2);
  });

  test('without limits nothing is counted', () => {
    const ledger = new LoginLedger({ ...RULES, user: 0, network: 0 });
    for (let guess = 0; guess < 100; guess++) {
      expect(ledger.failed('u', '192.0.2.1', `p${guess}`, 0)).toEqual({ distinct: 0, blocked: 0 });
    }
  });
});

test('a flood of networks makes it forget the oldest and grow no further', () => {
  const ledger = new LoginLedger(RULES);
  const most = limits.login_ledger_entries.value;
  for (let guess = 0; guess < 8; guess++) ledger.failed(`u${guess}`, '192.0.2.1', `${guess}`, 0);
  for (let n = 0; n < most - 1; n++) ledger.failed('one', `10.${n >> 8 & 255}.${n & 255}.1`, 'same', 1);
  expect(ledger.blocked('x', '192.0.2.1', 1)).toBe(299);
  ledger.failed('one', '172.16.0.1', 'same', 1);
  expect(ledger.blocked('x', '192.0.2.1', 1)).toBe(0);
});

/** The same rules, slowly: everything that happened is kept and gone through again. */
class SlowLedger {
  readonly #told: {
    readonly key: string;
    readonly secret: string;
    readonly of: string;
    readonly at: number;
  }[] = [];
  readonly #blocks: { readonly key: string; readonly at: number; readonly until: number }[] = [];
  readonly #known = new Set<string>();

  blocked(user: string, network: string, now: number): number {
    const keys = this.#known.has(`${user} ${network}`)
      ? [`k ${user} ${network}`]
      : [`u ${user}`, `n ${network}`];
    return Math.max(
      0,
      ...this.#blocks.filter(({ key }) => keys.includes(key)).map(({ until }) => until - now),
    );
  }

  failed(user: string, network: string, secret: string, now: number): void {
    if (this.#known.has(`${user} ${network}`)) {
      this.#add(`k ${user} ${network}`, secret, user, RULES.user, now);
    } else {
      this.#add(`u ${user}`, secret, network, RULES.user, now);
      this.#add(`n ${network}`, secret, user, RULES.network, now);
    }
  }

  passed(user: string, network: string): void {
    this.#known.add(`${user} ${network}`);
    this.#drop(({ key, of }) =>
      key === `k ${user} ${network}` || (key === `u ${user}` && of === network) ||
      (key === `n ${network}` && of === user)
    );
  }

  #drop(gone: (told: { readonly key: string; readonly of: string }) => boolean): void {
    this.#told.splice(0, this.#told.length, ...this.#told.filter((told) => !gone(told)));
  }

  #add(key: string, secret: string, of: string, limit: number, now: number): void {
    const counting = () => this.#told.filter((told) => told.key === key && told.at + RULES.window > now);
    const before = new Set(counting().map((told) => told.secret));
    this.#told.push({ key, secret, of, at: now });
    // A repetition belongs to whoever said it last.
    for (const told of this.#told) {
      if (told.key === key && told.secret === secret) Object.assign(told, { of });
    }
    if (before.has(secret) || before.size + 1 < limit) return;
    const level = this.#blocks.filter((block) => block.key === key).length;
    this.#blocks.push({ key, at: now, until: now + Math.min(86_400, RULES.block * 2 ** level) });
    this.#drop((told) => told.key === key);
  }
}

test('a day of logins, against a slow model', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = new Random(seed);
    const pick = (count: number) => random.below(count);
    const ledger = new LoginLedger(RULES);
    const slow = new SlowLedger();
    let now = 0;
    for (let step = 0; step < 600; step++) {
      now += pick(120);
      const user = `u${pick(5)}`;
      const third = pick(4);
      const address = `192.0.${third}.${pick(250)}`;
      const network = `192.0.${third}.0/24`;
      const expected = slow.blocked(user, network, now);
      expect(ledger.blocked(user, address, now)).toBe(expected);
      if (expected > 0) continue;
      if (pick(6) === 0) {
        ledger.passed(user, address, now);
        slow.passed(user, network);
      } else {
        const secret = `${user} p${pick(7)}`;
        ledger.failed(user, address, secret, now);
        slow.failed(user, network, secret, now);
      }
    }
  }
});
