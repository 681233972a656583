/** Reading large mailboxes: FETCH of what a client's list of messages needs, and SELECT. */

import type { BenchClient } from '../client.ts';
import type { Measured, Sizes } from '../figures.ts';
import { sampleMessage } from '../message.ts';
import type { RunningServer } from '../servers/server.ts';
import { processorSeconds } from '../../../tests/harness/processes.ts';

export const READER = 'reader';
const LARGE = 'Large';
/** Rounds of SELECT: so many that the median is that of a server at work, for a start there is a figure of its own. */
const FRESH = 100;
const AGAIN = 400;
/** Messages appended before an answer is awaited. */
const WINDOW = 250;

/** Fills the reader's INBOX and, by copying it, the large mailbox. */
export async function fillMailboxes(server: RunningServer, sizes: Sizes): Promise<void> {
  const client = await server.login(READER);
  for (let first = 0; first < sizes.fetched; first += WINDOW) {
    const commands: Buffer[] = [];
    for (let index = first; index < Math.min(first + WINDOW, sizes.fetched); index++) {
      const message = sampleMessage(index);
      commands.push(Buffer.concat([Buffer.from(`APPEND INBOX (\\Seen) {${message.length}+}\r\n`), message]));
    }
    await client.pipeline(commands);
  }
  await client.command(`CREATE ${largeName(server)}`);
  await client.command('SELECT INBOX');
  for (let copied = 0; copied < sizes.large; copied += sizes.fetched) {
    await client.command(`COPY 1:* ${largeName(server)}`);
  }
  client.close();
}

/** Cyrus without altnamespace keeps a user's mailboxes below INBOX. */
function largeName(server: RunningServer): string {
  return server.name === 'cyrus' ? `INBOX/${LARGE}` : LARGE;
}

export async function measureFetch(server: RunningServer, sizes: Sizes, measured: Measured): Promise<void> {
  const client = await server.login(READER);
  await client.command('SELECT INBOX');
  const rates: number[] = [];
  let before = 0;
  for (let round = 0; round <= sizes.repetitions; round++) {
    if (round === 1) before = processorSeconds(server.pid);
    const begun = performance.now();
    const answer = await client.command(`FETCH 1:${sizes.fetched} (FLAGS ENVELOPE BODYSTRUCTURE)`);
    const seconds = (performance.now() - begun) / 1000;
    if (round === 0) {
      verify(answer, sizes.fetched); // and warm up
      continue;
    }
    rates.push(sizes.fetched / seconds);
  }
  // Over all rounds: the kernel counts in steps of 10 ms.
  const used = processorSeconds(server.pid) - before;
  measured.fetch = rates;
  measured.fetchCpu = [used / (sizes.fetched * sizes.repetitions) * 100_000];
  client.close();
}

/** The answer must hold a line with everything asked for per message, or the figure would mean nothing. */
function verify(answer: Buffer, count: number): void {
  const text = answer.toString('latin1');
  for (const item of [' FETCH (', 'FLAGS (', 'ENVELOPE (', 'BODYSTRUCTURE (']) {
    const found = text.split(item).length - 1;
    if (found !== count) throw new Error(`FETCH answered ${found} times ${item}, expected ${count}`);
  }
}

export async function measureSelect(server: RunningServer, sizes: Sizes, measured: Measured): Promise<void> {
  const first: number[] = [];
  for (let round = 0; round < sizes.repetitions; round++) {
    await server.stop();
    await server.start();
    first.push(await timedSelect(server, await server.login(READER), sizes));
  }
  const fresh: number[] = [];
  for (let round = 0; round < FRESH; round++) {
    fresh.push(await timedSelect(server, await server.login(READER), sizes));
  }
  const again: number[] = [];
  const client = await server.login(READER);
  for (let round = 0; round < AGAIN; round++) {
    again.push(await timedSelect(server, client, sizes, false));
    await client.command('UNSELECT');
  }
  client.close();
  measured.selectFirst = first;
  measured.select = fresh;
  measured.selectAgain = again;
}

async function timedSelect(
  server: RunningServer,
  client: BenchClient,
  sizes: Sizes,
  last = true,
): Promise<number> {
  const begun = performance.now();
  const answer = await client.command(`SELECT ${largeName(server)}`);
  const took = performance.now() - begun;
  if (!answer.includes(`* ${sizes.large} EXISTS`)) throw new Error(`SELECT: ${answer.toString('latin1')}`);
  if (last) client.close();
  return took;
}
