import { describe, expect, test } from 'bun:test';
import { InterfaceDomains } from '../../src/auth/interface.ts';
import { limits } from '../../src/limits.ts';

const HOWTO = { servername: 'imap.nausch.org', defaultdomain: '' };

/** A clock and a sleep that tests move by hand. */
class Clock {
  time = 0;
  #sleepers: { at: number; wake: () => void }[] = [];

  readonly now = () => this.time;
  readonly sleep = (ms: number) =>
    new Promise<void>((wake) => void this.#sleepers.push({ at: this.time + ms, wake }));

  forward(ms: number): void {
    this.time += ms;
    for (const sleeper of this.#sleepers) if (sleeper.at <= this.time) sleeper.wake();
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.time);
  }
}

function domains(names: Record<string, string>, settings = HOWTO) {
  const clock = new Clock();
  const asked: string[] = [];
  const found = new InterfaceDomains(settings, {
    now: clock.now,
    sleep: clock.sleep,
    lookup: (address) => {
      asked.push(address);
      const name = names[address];
      return name === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(name);
    },
  });
  return { found, asked, clock };
}

describe('the domain of the interface', () => {
  test('is what stands behind the first dot of its name', async () => {
    const { found } = domains({ '192.0.2.1': 'Imap.Example.ORG', '2001:db8::1': 'mx.sub.example.net' });
    expect(await found.domainOf('192.0.2.1')).toBe('example.org');
    expect(await found.domainOf('2001:db8::1')).toBe('sub.example.net');
  });

  test('is that of servername where the address has no name with a domain', async () => {
    const { found } = domains({ '192.0.2.1': 'imap', '192.0.2.2': '192.0.2.2', '192.0.2.3': 'x.[bad]' });
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) {
      expect(await found.domainOf(address)).toBe('nausch.org');
    }
  });

  test('is the default one where there is a default domain', async () => {
    const { found } = domains({}, { servername: 'imap.nausch.org', defaultdomain: 'home.org' });
    expect(await found.domainOf('192.0.2.1')).toBe('');
    expect(await found.domainOf('')).toBe('');
  });

  test('a servername without a domain tells nothing', async () => {
    const { found } = domains({}, { servername: 'imap', defaultdomain: '' });
    expect(await found.domainOf('192.0.2.1')).toBe('');
  });

  test('unix sockets and loopback are not looked up', async () => {
    const { found, asked } = domains({ '127.0.0.1': 'localhost.localdomain' });
    expect(await found.domainOf('127.0.0.1')).toBe('nausch.org');
    expect(await found.domainOf('::1')).toBe('nausch.org');
    expect(await found.domainOf('')).toBe('nausch.org');
    expect(await found.domainOf('/run/mailstore/imap')).toBe('nausch.org');
    expect(asked).toEqual([]);
  });
});

describe('looking it up', () => {
  test('happens once for many logins, and again after a while', async () => {
    const { found, asked, clock } = domains({ '192.0.2.1': 'a.example.org' });
    await Promise.all([found.domainOf('192.0.2.1'), found.domainOf('192.0.2.1')]);
    await found.domainOf('192.0.2.1');
    expect(asked.length).toBe(1);
    clock.forward(9 * 60_000);
    await found.domainOf('192.0.2.1');
    expect(asked.length).toBe(1);
    clock.forward(2 * 60_000);
    await found.domainOf('192.0.2.1');
    expect(asked.length).toBe(2);
  });

  test('a failure is tried again after a minute', async () => {
    const names: Record<string, string> = {};
    const { found, asked, clock } = domains(names);
    expect(await found.domainOf('192.0.2.1')).toBe('nausch.org');
    names['192.0.2.1'] = 'a.example.org';
    expect(await found.domainOf('192.0.2.1')).toBe('nausch.org');
    expect(asked.length).toBe(1);
    clock.forward(61_000);
    expect(await found.domainOf('192.0.2.1')).toBe('example.org');
  });

  test('a login waits for a silent name server only so long, and the next one not at all', async () => {
    const clock = new Clock();
    const answers: ((name: string) => void)[] = [];
    const found = new InterfaceDomains(HOWTO, {
      now: clock.now,
      sleep: clock.sleep,
      lookup: () => new Promise((resolve) => void answers.push(resolve)),
    });
    const first = found.domainOf('192.0.2.1');
    await Promise.resolve();
    clock.forward(limits.interface_lookup.value * 1000);
    expect(await first).toBe('nausch.org');
    expect(await found.domainOf('192.0.2.1')).toBe('nausch.org');
    expect(answers.length).toBe(1);
    // The answer came after all.
    answers[0]?.('a.example.org');
    await Promise.resolve();
    await Promise.resolve();
    expect(await found.domainOf('192.0.2.1')).toBe('example.org');
    expect(answers.length).toBe(1);
  });

  test('memory is bounded', async () => {
    const { found, asked } = domains({});
    const most = limits.interface_cache_entries.value;
    for (let n = 0; n < most + 10; n++) await found.domainOf(`10.0.${n >> 8}.${n & 255}`);
    expect(asked.length).toBe(most + 10);
    await found.domainOf(`10.0.${(most + 9) >> 8}.${(most + 9) & 255}`);
    expect(asked.length).toBe(most + 10);
    await found.domainOf('10.0.0.0');
    expect(asked.length).toBe(most + 11);
  });
});
