/** IDLE over time. */

import { afterEach, expect, jest, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer } from './imapserver.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('an idling client hears something now and then, and is logged out after `timeout` all the same', async () => {
  const server = await ImapServer.open({ timeout: 1800 });
  try {
    const client = server.connect();
    await client.line();
    client.send('a LOGIN django secret\r\n');
    await client.line();
    jest.useFakeTimers();
    client.send('b IDLE\r\n');
    expect(await client.line()).toBe('+ idling');
    const told: string[] = [];
    for (let passed = 0; passed < 2000_000 && !client.closed; passed += client.idleTimeout) {
      jest.advanceTimersByTime(client.idleTimeout);
      client.expireIdle();
      told.push(...client.take().toString().split('\r\n').filter((line) => line !== ''));
    }
    expect(told.at(-1)).toBe('* BYE Autologout; idle for too long');
    const alive = told.slice(0, -1);
    expect(new Set(alive)).toEqual(new Set(['* OK Still here']));
    // A line every two minutes or a little more, for half an hour.
    expect(alive.length).toBeGreaterThanOrEqual(Math.floor(1800 / (1.25 * limits.imap_idle_keepalive.value)));
    expect(alive.length).toBeLessThanOrEqual(1800 / limits.imap_idle_keepalive.value);
  } finally {
    jest.useRealTimers();
    await server.close();
  }
});
