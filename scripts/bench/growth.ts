/**
 * Whether an operation costs the same in a large mailbox as in a small one, and with many users as with few: time and
 * processor time per operation of mailstore (or the servers that --servers names), size by size.
 */

import type { BenchClient } from './client.ts';
import { LmtpSession, Mail } from './lmtp_client.ts';
import { sampleMessage } from './message.ts';
import type { RunningServer } from './servers/server.ts';
import { type Cost, costOf } from './workload.ts';
import { makeInbox } from './workloads/delivery.ts';
import { multiappend } from './workloads/fill.ts';

export interface GrowthSizes {
  /** Messages in the mailbox. */
  readonly messages: readonly number[];
  /** Users that have mail. */
  readonly users: readonly number[];
  readonly rounds: number;
}

export const GROWTH: GrowthSizes = {
  messages: [1000, 10_000, 100_000, 1_000_000],
  users: [1000, 10_000, 100_000],
  rounds: 300,
};

export const QUICK_GROWTH: GrowthSizes = { messages: [500, 2000], users: [50, 200], rounds: 30 };

/** One operation at one size. */
export interface Point {
  readonly size: number;
  readonly milliseconds: number;
  /** Processor time, microseconds. */
  readonly cpu: number;
}

/** An operation with its points; `linear` ones count per message. */
export interface Curve {
  readonly operation: string;
  readonly linear: boolean;
  readonly points: Point[];
}

const READER = 'grower';
/** Whose mailbox stays as it is while users come. */
const NEIGHBOUR = 'neighbour';
const OTHERS = 'growth';
/** Messages of the first mailbox, which larger ones are copied from. */
const BATCH = 250;
/** Recipients of one transaction when many users get their first message. */
const AT_ONCE = 50;
const SESSIONS = 8;
/** Processor time is counted in ticks of 10 ms: what is done for all messages is repeated until it was done for so many... */
const MESSAGES_AT_LEAST = 200_000;
/** ...and what costs a tenth of a millisecond is done so many times as often. */
const QUICK = 10;
const MAIL = new Mail(sampleMessage(1));

/** Users who have to be able to log in; the others only get mail. */
export function growthUsers(): string[] {
  return [READER, NEIGHBOUR];
}

/** The curves over the size of a mailbox. */
export async function growthOfMailbox(server: RunningServer, sizes: GrowthSizes): Promise<Curve[]> {
  const curves = new Map<string, Curve>();
  await makeInbox(server, READER);
  for (const size of sizes.messages) {
    const begun = performance.now();
    await growTo(server, READER, size);
    console.error(
      `${server.name}: mailbox of ${size} made in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    await measureAt(server, READER, size, size, sizes.rounds, curves);
  }
  return [...curves.values()];
}

/** The curves over the number of users: of a mailbox of a thousand messages among so many others. */
export async function growthOfUsers(server: RunningServer, sizes: GrowthSizes): Promise<Curve[]> {
  const curves = new Map<string, Curve>();
  await makeInbox(server, NEIGHBOUR);
  await growTo(server, NEIGHBOUR, 1000);
  let made = 0;
  for (const size of sizes.users) {
    const begun = performance.now();
    await makeUsers(server, made, size);
    made = size;
    console.error(
      `${server.name}: ${size} users made in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    await measureAt(server, NEIGHBOUR, size, 1000, sizes.rounds, curves);
    const lmtp = await LmtpSession.open(server.lmtp);
    const cost = await costOf(server, async () => {
      for (let round = 0; round < sizes.rounds; round++) {
        await lmtp.deliver(MAIL.copy(), [`${OTHERS}${round * 7919 % size}`]);
      }
    });
    add(curves, 'delivery to any user', size, sizes.rounds, cost);
    lmtp.close();
  }
  return [...curves.values()];
}

/** Brings INBOX to exactly `size` messages: the first by APPEND, more by copying what is there. */
async function growTo(server: RunningServer, user: string, size: number): Promise<void> {
  const client = await server.login(user);
  let count = existing(await client.command('SELECT INBOX'));
  while (count < size) {
    if (count < 1000) await client.pipeline([multiappend(count, Math.min(BATCH, size - count))]);
    else await client.command(`COPY 1:${Math.min(count, size - count, 50_000)} INBOX`);
    count = existing(await client.command('SELECT INBOX'));
  }
  client.close();
}

function existing(answer: Buffer): number {
  return Number(/\* (\d+) EXISTS/.exec(answer.toString('latin1'))?.[1]);
}

async function makeUsers(server: RunningServer, from: number, to: number): Promise<void> {
  let next = from;
  await Promise.all(Array.from({ length: SESSIONS }, async () => {
    const lmtp = await LmtpSession.open(server.lmtp);
    while (next < to) {
      const first = next;
      next = Math.min(to, next + AT_ONCE);
      const names = Array.from({ length: next - first }, (_, index) => `${OTHERS}${first + index}`);
      await lmtp.deliver(MAIL.copy(), names);
    }
    lmtp.close();
  }));
}

async function measureAt(
  server: RunningServer,
  user: string,
  size: number,
  messages: number,
  rounds: number,
  curves: Map<string, Curve>,
): Promise<void> {
  const client = await server.login(user);
  await client.command('SELECT INBOX');
  const take = async (
    operation: string,
    count: number,
    work: (round: number) => Promise<unknown>,
    per = 0,
  ): Promise<void> => {
    await work(0);
    const cost = await costOf(server, async () => {
      // STORE alternates: the first one must find what the one before left.
      for (let round = 1; round <= count; round++) await work(round);
    });
    add(curves, operation, size, count * (per || 1), cost, per > 0);
  };
  /** Messages all over the mailbox. */
  const any = (round: number): number => 1 + round * 7919 % messages;
  const message = sampleMessage(2);
  const append = Buffer.concat([Buffer.from(`APPEND INBOX {${message.length}+}\r\n`), message]);
  await take('SELECT warm', rounds * QUICK, () => client.command('SELECT INBOX'));
  await take(
    'STORE of one',
    rounds,
    (round) => client.command(`STORE ${any(round)} ${round % 2 ? '-' : '+'}FLAGS (\\Flagged)`),
  );
  await take(
    'FETCH of one',
    rounds * QUICK,
    (round) => client.count(`FETCH ${any(round)} (ENVELOPE BODY.PEEK[])`),
  );
  await take('APPEND', rounds, () => client.pipeline([append]));
  await notifications(server, user, client, size, rounds, curves);
  const whole = Math.ceil(MESSAGES_AT_LEAST * rounds / GROWTH.rounds / messages);
  await take('FETCH FLAGS of all', whole, () => client.count('FETCH 1:* (FLAGS)'), messages);
  await take('SEARCH UNSEEN', whole, () => client.count('SEARCH UNSEEN'), messages);
  await take(
    'STORE silent on all',
    whole,
    (round) => client.count(`STORE 1:* ${round % 2 ? '-' : '+'}FLAGS.SILENT ($Grown)`),
    messages,
  );
  client.close();
}

/** From a delivery to EXISTS; the time is that of both. */
async function notifications(
  server: RunningServer,
  user: string,
  client: BenchClient,
  size: number,
  rounds: number,
  curves: Map<string, Curve>,
): Promise<void> {
  const lmtp = await LmtpSession.open(server.lmtp);
  await client.idle();
  const count = Math.ceil(rounds / 5);
  const cost = await costOf(server, async () => {
    for (let round = 0; round < count; round++) {
      const told = client.told(' EXISTS\r\n');
      await lmtp.deliver(MAIL.copy(), [user]);
      await told;
    }
  });
  add(curves, 'delivery with IDLE notification', size, count, cost);
  await client.done();
  lmtp.close();
}

function add(
  curves: Map<string, Curve>,
  operation: string,
  size: number,
  operations: number,
  cost: Cost,
  linear = false,
): void {
  const curve = curves.get(operation) ?? { operation, linear, points: [] };
  curves.set(operation, curve);
  curve.points.push({
    size,
    milliseconds: cost.seconds * 1000 / operations,
    cpu: cost.server / operations * 1e6,
  });
}

/** One row per operation, one column per size, and the largest as a multiple of the smallest. */
export function renderCurves(title: string, curves: readonly Curve[]): string {
  const sizes = curves[0]?.points.map((point) => point.size.toLocaleString('en-US')) ?? [];
  const rows = [[title, ...sizes, 'largest / smallest', '']];
  for (const { operation, linear, points } of curves) {
    const first = points[0];
    const last = points.at(-1);
    if (first === undefined || last === undefined) continue;
    const times = last.milliseconds / first.milliseconds;
    const cpu = last.cpu / first.cpu;
    rows.push([
      linear ? `${operation}, per message` : operation,
      ...points.map(({ milliseconds, cpu }) => `${shown(milliseconds)} ms, ${shown(cpu)} us`),
      `${times.toFixed(2)}, ${cpu.toFixed(2)}`,
      cpu <= 2 ? 'flat' : 'grows',
    ]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))
      .join('  ').trimEnd()
  ).join('\n');
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(2);
}
