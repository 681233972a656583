/** The mailboxes that most workloads read and change: an INBOX of 4 KB messages and a large one made by copying it. */

import type { Sizes } from '../figures.ts';
import { sampleMessage } from '../message.ts';
import type { RunningServer } from '../servers/server.ts';

export const READER = 'reader';
export const LARGE = 'Large';
/** Messages of one APPEND. */
const BATCH = 250;

/** Fills the reader's INBOX and, by copying it, the large mailbox. */
export async function fillMailboxes(server: RunningServer, sizes: Sizes): Promise<void> {
  const client = await server.login(READER);
  for (let first = 0; first < sizes.fetched; first += BATCH) {
    await client.pipeline([multiappend(first, Math.min(BATCH, sizes.fetched - first))]);
  }
  await client.command(`CREATE ${LARGE}`);
  await client.command('SELECT INBOX');
  for (let copied = 0; copied < sizes.large; copied += sizes.fetched) {
    await client.command(`COPY 1:* ${LARGE}`);
  }
  client.close();
}

/** One APPEND of several messages (RFC 3502) to INBOX. */
export function multiappend(first: number, count: number): Buffer {
  const parts: Buffer[] = [Buffer.from('APPEND INBOX')];
  for (let index = first; index < first + count; index++) {
    const message = sampleMessage(index);
    const flags = index % 5 === 0 ? '' : ' (\\Seen)';
    parts.push(Buffer.from(`${flags} {${message.length}+}\r\n`), message);
  }
  return Buffer.concat(parts);
}

/** How often `text` stands in an answer; an answer that lacks lines would make a figure worthless. */
export function expectCount(answer: Buffer, text: string, expected: number): void {
  let found = 0;
  for (let at = answer.indexOf(text); at >= 0; at = answer.indexOf(text, at + text.length)) found++;
  if (found !== expected) throw new Error(`the answer has "${text}" ${found} times, expected ${expected}`);
}
