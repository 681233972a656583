/** IDLE over time. */

import { afterEach, expect, jest, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer } from './imapserver.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('what ends IDLE may come in pieces, after any time, and with the next command behind it', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    client.send('a LOGIN django secret\r\nb SELECT INBOX\r\nc IDLE\r\n');
    while (await client.line() !== '+ idling');
    for (let round = 0; round < 2; round++) {
      // What is told when IDLE begins is told.
      await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      for (const piece of ['D', 'ON', 'E\r', '\nd IDLE\r\n']) client.send(piece);
      expect(await client.line()).toBe(`${round === 0 ? 'c' : 'd'} OK Completed`);
      expect(await client.line()).toBe('+ idling');
    }
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    client.send(`${'x'.repeat(100)}`);
    expect(await client.line()).toStartWith('d BAD ');
    client.send('\r\ne APPEND INBOX {5+}\r\na: b\n\r\nf NOOP\r\n');
    while (await client.line() !== 'f OK Completed');
  } finally {
    await server.close();
  }
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
