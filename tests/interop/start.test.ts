/** What a newcomer does first: scripts/start, the lines it prints, Ctrl-C, and once more. */

import { expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { freePorts } from '../harness/ports.ts';

const START = join(import.meta.dir, '../../scripts/start');

/** Runs scripts/start until it says how to stop it; resolves to the process and all it printed so far. */
async function start(env: Readonly<Record<string, string>>): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(START, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      said += chunk.toString();
      if (said.includes('Ctrl-C stops it.')) resolve();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('close', (code) => reject(new Error(`scripts/start ended with ${code}:\n${said}`)));
  });
  return { child, said };
}

async function interrupt(child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.kill('SIGINT');
  return await ended;
}

test('scripts/start: the printed lines work, and the mail is there again the next time', async () => {
  const [imap, imaps, lmtp] = await freePorts(3);
  const data = mkdtempSync(join(tmpdir(), 'mailstore-start-'));
  const env = {
    MAILSTORE_DATA: data,
    MAILSTORE_IMAP_PORT: String(imap),
    MAILSTORE_IMAPS_PORT: String(imaps),
    MAILSTORE_LMTP_PORT: String(lmtp),
  };
  try {
    const first = await start(env);
    const curl = /^ +(curl .*)$/m.exec(first.said)?.[1] ?? 'no curl line';
    expect((await succeed('sh', ['-c', curl])).stdout).toContain('Subject: Welcome to mailstore\r\n');
    const deliver = /^ +(printf .*)$/m.exec(first.said)?.[1] ?? 'no deliver line';
    await succeed('sh', ['-c', deliver]);
    const login = /^ +(a LOGIN .*)$/m.exec(first.said)?.[1] ?? 'no login line';
    const openssl = /^ +(openssl .*)$/m.exec(first.said)?.[1] ?? 'no openssl line';
    const dialogue = await succeed('sh', ['-c', openssl], { input: `${login}\nb SELECT INBOX\nc LOGOUT\n` });
    expect(dialogue.stdout).toContain('\r\n* 2 EXISTS\r\n');
    expect(await interrupt(first.child)).toBe(0);

    const second = await start(env);
    expect(second.said).not.toContain('setting up');
    expect((await succeed('sh', ['-c', curl.replace('UID=1', 'UID=2')])).stdout).toEndWith('Hello.\r\n');
    expect(await interrupt(second.child)).toBe(0);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}, 120_000);
