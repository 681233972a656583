/** Who administers while the store is killed: users, passwords, quotas, undelete and reconstruct, by the tools and by IMAP. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImapClient } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { mailstoreCommand, PASSWORD, type TestStore } from '../harness/server.ts';
import { acknowledge, refuse, type Round, steered } from './actors.ts';
import { messageOf, newId } from './message.ts';
import { type Pending, UNKNOWN, type UserModel } from './model.ts';

/** Who may set quotas. */
export const ADMIN = 'cyrus';
const BOX = 'box';

/** Runs a tool of the program beside the running store; the test goes on meanwhile. */
async function tool(store: TestStore, args: readonly string[], input = ''): Promise<number | null> {
  const [program = '', ...before] = mailstoreCommand();
  const [command = '', ...rest] = args;
  const child = spawn(program, [...before, command, '-c', store.configFile, ...rest], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input);
  return await new Promise((resolve) => child.on('close', resolve));
}

/**
 * Changes limits of all, and everything of one user who is the administrator's alone: nobody else touches `subject`, who
 * comes and goes.
 */
export async function administrator(
  round: Round,
  users: readonly UserModel[],
  subject: UserModel,
): Promise<void> {
  const limitless = users.filter((user) => user.messageLimit === null || user.messageLimit > 1000);
  const jobs: { readonly work: () => Promise<boolean>; readonly commands: readonly string[] }[] = [
    { work: () => setQuota(round, round.random.pick(limitless)), commands: ['SETQUOTA'] },
    { work: () => changePassword(round, subject), commands: ['mailstore user passwd'] },
    { work: () => deliver(round, subject), commands: [] },
    { work: () => deleteAndUndelete(round, subject), commands: ['mailstore mailbox undelete'] },
    { work: () => reconstruct(round, subject), commands: ['mailstore reconstruct'] },
    { work: () => purge(round, subject), commands: ['mailstore user remove', 'mailstore user add'] },
  ];
  try {
    while (!round.over && await steered(round, jobs, ({ commands }) => commands).work());
  } catch (error) {
    if (!round.killed) round.wrong.push(`administrator: ${error}`);
  }
}

/** A tool that must succeed unless the store is being killed. */
async function must(
  round: Round,
  user: UserModel,
  change: Pending | undefined,
  args: string[],
  input = '',
): Promise<boolean> {
  if (change !== undefined) user.pending.add(change);
  const code = await tool(round.store, args, input);
  if (code !== 0) {
    refuse(round, `${args.join(' ')}: exit code ${code}`);
    return false;
  }
  if (change !== undefined) user.pending.delete(change);
  acknowledge(round, `mailstore ${args.filter((word) => word !== user.name).slice(0, 2).join(' ')}`);
  return true;
}

/** SETQUOTA (RFC 9208 §4.1.3): limits nobody meets, but each must be the last one acknowledged. */
async function setQuota(round: Round, user: UserModel): Promise<boolean> {
  const client = await round.store.login(ADMIN);
  try {
    const messageLimit = 100_000 + round.random.below(100_000);
    const change: Pending = { kind: 'quota', messageLimit };
    user.pending.add(change);
    const answer = await client.command(`SETQUOTA user/${user.name} (MESSAGE ${messageLimit})`);
    if (answer.status !== 'OK') {
      refuse(round, `SETQUOTA: ${answer.text}`);
      return false;
    }
    user.pending.delete(change);
    user.messageLimit = messageLimit;
    acknowledge(round, 'SETQUOTA');
    return true;
  } finally {
    client.destroy();
  }
}

async function changePassword(round: Round, subject: UserModel): Promise<boolean> {
  const password = `password-${round.random.below(2 ** 30)}`;
  const change: Pending = { kind: 'password', password };
  if (!(await must(round, subject, change, ['user', 'passwd', subject.name], `${password}\n`))) return false;
  subject.password = password;
  return true;
}

async function deliver(round: Round, subject: UserModel): Promise<boolean> {
  const client = await LmtpClient.connect(round.store.lmtpSocket);
  try {
    for (let count = 1 + round.random.below(4); count > 0 && !round.over; count--) {
      const id = newId(round.seed);
      const change: Pending = { kind: 'add', folders: ['INBOX'], id };
      subject.pending.add(change);
      const [reply = ''] = await client.deliver('sender@example.org', [subject.name], messageOf(id));
      if (!reply.startsWith('250')) {
        refuse(round, reply);
        return false;
      }
      subject.pending.delete(change);
      subject.arrived.push({ id, folders: ['INBOX'] });
      acknowledge(round, 'DATA');
    }
    return true;
  } finally {
    client.destroy();
  }
}

/** A folder with a message goes and comes back, with its UIDs. */
async function deleteAndUndelete(round: Round, subject: UserModel): Promise<boolean> {
  const client = await round.store.login(subject.name, subject.password);
  try {
    if (!subject.folders.has(BOX)) {
      const create: Pending = { kind: 'create', folder: BOX, use: '' };
      subject.pending.add(create);
      await client.ok(`CREATE ${BOX}`);
      subject.pending.delete(create);
      subject.create(BOX, UNKNOWN);
      await learnUidvalidity(round, subject, client, BOX);
    }
    const folder = subject.folder(BOX);
    const id = newId(round.seed);
    const append: Pending = { kind: 'adds', folder: BOX, ids: [id] };
    subject.pending.add(append);
    const answer = await client.ok(`APPEND ${BOX}`, messageOf(id));
    subject.pending.delete(append);
    const uid = Number(/\[APPENDUID \d+ (\d+)\]/.exec(answer.text)?.[1]);
    round.wrong.push(...subject.saw(BOX, folder.uidvalidity, uid, id));
    folder.messages.set(uid, { id, flags: new Set() });
    acknowledge(round, 'APPEND');
    const gone: Pending = { kind: 'delete', folder: BOX };
    subject.pending.add(gone);
    await client.ok(`DELETE ${BOX}`);
    subject.pending.delete(gone);
    subject.remove(BOX);
    acknowledge(round, 'DELETE');
    const back: Pending = { kind: 'undelete', folder: BOX, content: folder };
    const name = `user/${subject.name}/${BOX}`;
    if (!(await must(round, subject, back, ['mailbox', 'undelete', name]))) return false;
    subject.folders.set(BOX, folder);
    return true;
  } finally {
    client.destroy();
  }
}

/** Nothing changes for clients. */
async function reconstruct(round: Round, subject: UserModel): Promise<boolean> {
  return await must(round, subject, undefined, ['reconstruct', subject.name]);
}

/** The user goes with all mail and is made anew. What a crash may have left of the old one must not get in the way. */
async function purge(round: Round, subject: UserModel): Promise<boolean> {
  const { store } = round;
  const args = ['user', 'remove', '--purge', '--yes', subject.name];
  subject.mayBeMissing = true;
  if (!(await must(round, subject, { kind: 'purge' }, args))) return false;
  subject.purged();
  const left = join(store.dir, 'state/user', subject.name.slice(0, 1), 'user', subject.name);
  if (!existsSync(left) && round.random.oneIn(2)) {
    mkdirSync(left, { recursive: true, mode: 0o700 });
    writeFileSync(join(left, 'index.db'), 'what a crash left', { mode: 0o600 });
  }
  subject.password = PASSWORD;
  if (!(await must(round, subject, undefined, ['user', 'add', subject.name], `${PASSWORD}\n`))) return false;
  subject.mayBeMissing = false;
  const client = await ImapClient.connect({ port: store.ports.imap });
  try {
    await client.login(subject.name, subject.password);
    await learnUidvalidity(round, subject, client, 'INBOX');
  } finally {
    client.destroy();
  }
  return true;
}

async function learnUidvalidity(
  round: Round,
  subject: UserModel,
  client: ImapClient,
  name: string,
): Promise<void> {
  const status = await client.ok(`STATUS ${name} (UIDVALIDITY)`);
  const told = status.untagged.map(({ text }) => text).join('\n');
  round.wrong.push(...subject.create(name, Number(/UIDVALIDITY (\d+)/.exec(told)?.[1])));
}
