/** What those who change mailboxes while the store is killed have in common, and those who deliver mail. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LmtpClient } from '../harness/lmtp.ts';
import type { Random } from '../harness/random.ts';
import type { TestStore } from '../harness/server.ts';
import { messageOf, newId } from './message.ts';
import type { Pending, UserModel } from './model.ts';

const OVER_QUOTA = 'over quota by LMTP';

/** What the actors of a round share. */
export interface Round {
  readonly store: TestStore;
  readonly random: Random;
  readonly seed: number;
  /** Set when something may be killed; before it nothing may be refused but what is over quota. */
  killed: boolean;
  /** Set when reading fails, which is not told from damage at first. */
  unreadable: boolean;
  /** Set after the kill: finish what runs and stop. */
  over: boolean;
  /** What must not be, found while running. */
  readonly wrong: string[];
  /** Changes that were acknowledged. */
  acknowledged: number;
  /** Refusals, which are no acknowledgement, by their text. */
  readonly refused: Map<string, number>;
  /** Changes that were acknowledged, by command: one that is never among them is not tested. */
  readonly commands: Map<string, number>;
  /** Commands that somebody should use soon: those that were never acknowledged, or that bring about what a round waits for. */
  readonly wanted: ReadonlySet<string>;
}

/** What goes on in a round. */
export interface Work {
  /** Everybody has stopped by themselves. */
  readonly ended: boolean;
}

/** One of the items; every other time one by which a wanted command is used. */
export function steered<Item>(
  { random, wanted }: Round,
  items: readonly Item[],
  commands: (item: Item) => readonly string[],
): Item {
  const useful = items.filter((item) => commands(item).some((command) => wanted.has(command)));
  return random.pick(useful.length > 0 && random.oneIn(2) ? useful : items);
}

/** An acknowledged change of a kind. */
export function acknowledge(round: Round, command: string): void {
  round.acknowledged++;
  round.commands.set(command, (round.commands.get(command) ?? 0) + 1);
}

/** A change that was refused; before the kill only with an expected reason. */
export function refuse(round: Round, text: string): void {
  const kind = text.replace(/\d+/g, 'N').slice(0, 160);
  round.refused.set(kind, (round.refused.get(kind) ?? 0) + 1);
  // Whoever sends must keep the message and try again.
  if (/^5\d\d/.test(text)) round.wrong.push(`refused for good: ${text}`);
  // RFC 5530 §3: what is not available now, and neither a bug nor for good.
  const expected = round.unreadable ? /\[(UNAVAILABLE|CORRUPTION)\]/ : /\[UNAVAILABLE\]/;
  if (/\b(NO|BAD) /.test(text) && !expected.test(text)) {
    round.wrong.push(`refused otherwise than as unavailable: ${text}`);
  }
  if (!round.killed) round.wrong.push(`refused before anything was killed: ${text}`);
}

/** Whether an answer says for certain that nothing was changed because a quota is used up. */
export function isOverQuota(text: string): boolean {
  return /\[OVERQUOTA\]|^452 4\.2\.2/.test(text);
}

/** So many messages of a user whose place nobody has seen yet are enough: the mailboxes stay small. */
const ENOUGH = 100;

/** Mail transfer agents: deliver to some of the users, each message under a new identity; whoever is cut off comes again. */
export async function deliverer(round: Round, users: readonly UserModel[]): Promise<void> {
  while (!round.over) {
    let client: LmtpClient | undefined;
    try {
      client = await LmtpClient.connect(
        round.random.oneIn(2) ? round.store.lmtpSocket : round.store.ports.lmtp,
      );
      while (!round.over && await deliver(round, users, client));
    } catch {
      // The connection died with the store; what was under way stays pending.
    } finally {
      client?.destroy();
    }
    if (!round.over) await sleep(10);
  }
}

/** One message to some; false when it was refused. */
async function deliver(round: Round, users: readonly UserModel[], client: LmtpClient): Promise<boolean> {
  const { random } = round;
  let to = random.some(users, 3);
  if (round.wanted.has(OVER_QUOTA) && random.oneIn(2)) {
    to = users.filter((user) => user.messageLimit !== null && user.messageLimit < 1000);
  }
  if (to.some((user) => user.arrived.length > ENOUGH)) await sleep(10);
  const id = newId(round.seed);
  const pending = to.map((user): Pending => {
    const change: Pending = { kind: 'add', folders: user.inboxes(), id };
    user.pending.add(change);
    return change;
  });
  const chunked = random.oneIn(3);
  const names = to.map((user) => user.name);
  const message = messageOf(id);
  const replies = chunked
    ? await client.deliverChunked('sender@example.org', names, message)
    : await client.deliver('sender@example.org', names, message);
  let taken = true;
  for (const [index, user] of to.entries()) {
    const change = pending[index];
    const reply = replies[index] ?? '';
    if (change?.kind !== 'add') continue;
    if (reply.startsWith('250')) {
      // RENAME INBOX may have shown already where it is.
      if (user.pending.delete(change)) user.arrived.push({ id, folders: change.folders });
      acknowledge(round, chunked ? 'BDAT' : 'DATA');
    } else if (isOverQuota(reply) && user.messageLimit !== null) {
      user.pending.delete(change);
      round.commands.set(OVER_QUOTA, (round.commands.get(OVER_QUOTA) ?? 0) + 1);
    } else {
      refuse(round, reply);
      taken = false;
    }
  }
  return taken;
}
