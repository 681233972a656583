/** What tests of backup and restore need of running stores: all a client sees, and the commands as processes. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, run } from '../harness/command.ts';
import type { ImapClient } from '../harness/imap.ts';
import { mailstoreCommand, type StoreOptions, TestStore } from '../harness/server.ts';

/** A folder for backups that goes away with the test. */
export function backupFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'mailstore-target-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A message as a client finds it. */
export interface SeenMessage {
  readonly uid: number;
  readonly flags: string;
  readonly internaldate: string;
  readonly body: string;
}

export interface SeenMailbox {
  readonly uidvalidity: number;
  readonly uidnext: number;
  readonly messages: readonly SeenMessage[];
}

/** Everything one user finds over IMAP. */
export async function look(store: TestStore, user: string): Promise<Record<string, SeenMailbox>> {
  const client = await store.login(user);
  const found: Record<string, SeenMailbox> = {};
  for (const { text } of (await client.ok('LIST "" *')).untagged) {
    const name = /^\* LIST \([^)]*\) "." "?([^"]+)"?$/.exec(text)?.[1];
    if (name !== undefined) found[name] = await lookInto(client, name);
  }
  await client.logout();
  return found;
}

async function lookInto(client: ImapClient, name: string): Promise<SeenMailbox> {
  const selected = (await client.ok(`EXAMINE "${name}"`)).untagged.map(({ text }) => text).join('\n');
  const number = (pattern: RegExp): number => Number(pattern.exec(selected)?.[1] ?? NaN);
  const messages: SeenMessage[] = [];
  if (number(/^\* (\d+) EXISTS/m) > 0) {
    const answer = await client.ok('FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])');
    for (const { text, literals } of answer.untagged) {
      if (!/^\* \d+ FETCH/.test(text)) continue;
      messages.push({
        uid: Number(/UID (\d+)/.exec(text)?.[1]),
        flags: (/FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? '').split(' ').filter((flag) => flag !== '\\Recent')
          .sort()
          .join(' '),
        internaldate: /INTERNALDATE "([^"]*)"/.exec(text)?.[1] ?? '',
        body: literals[0]?.toString('latin1') ?? '',
      });
    }
  }
  return { uidvalidity: number(/UIDVALIDITY (\d+)/), uidnext: number(/UIDNEXT (\d+)/), messages };
}

/** The same without UIDNEXT, which a restore raises. */
export function withoutUidnext(
  seen: Record<string, SeenMailbox>,
): Record<string, Omit<SeenMailbox, 'uidnext'>> {
  return Object.fromEntries(
    Object.entries(seen).map(([name, { uidvalidity, messages }]) => [name, { uidvalidity, messages }]),
  );
}

/** Runs a command of the program beside what the test does. */
export function tool(store: TestStore, args: readonly string[], env = {}): Promise<Finished> {
  const [program = '', ...before] = mailstoreCommand();
  const [command = '', ...rest] = args;
  return run(program, [...before, command, '-c', store.configFile, ...rest], { env });
}

/** Runs a command that is killed after a time; resolves to whether it was killed before its end. */
export function killed(store: TestStore, args: readonly string[], afterMs: number): Promise<boolean> {
  const [program = '', ...before] = mailstoreCommand();
  const [command = '', ...rest] = args;
  const child = spawn(program, [...before, command, '-c', store.configFile, ...rest], { stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  return new Promise((resolve) =>
    child.on('exit', (_code, signal) => {
      clearTimeout(timer);
      resolve(signal !== null);
    })
  );
}

/** Runs a command that has to succeed; resolves to what it printed. */
export async function ok(store: TestStore, args: readonly string[], env = {}): Promise<string> {
  const { code, stdout, stderr } = await tool(store, args, env);
  if (code !== 0) throw new Error(`mailstore ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** A store without users that does not run, as on a new machine. */
export async function emptyStore(options: StoreOptions = {}): Promise<TestStore> {
  const store = await TestStore.start(options);
  await store.stop();
  return store;
}

/** A message with an id of its own. */
export function letter(id: string, size = 300): Buffer {
  const head =
    `From: a@example.org\r\nTo: b@example.org\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\n`;
  return Buffer.from(`${head}${'x'.repeat(70)}\r\n`.padEnd(size - 2, '. ') + '\r\n');
}
