/** Messages that tell from their Message-ID alone what every byte of them must be. */

import { Random } from '../harness/random.ts';

/** Above this size a body does not travel inside the log, so both ways of storing are crossed. */
const LARGE = 70_000;

let counter = 0;

/** A new identity, never used before in this run. */
export function newId(seed: number): string {
  return `${(++counter).toString(36)}.${seed.toString(36)}@crash.example.org`;
}

/** The message with that identity: CRLF lines, one in twenty large, one in ten as large as the log takes inline. */
export function messageOf(id: string): Buffer {
  const random = new Random(hash(id));
  const size = random.oneIn(20)
    ? LARGE + random.below(150_000)
    : random.oneIn(10)
    ? 20_000 + random.below(40_000)
    : 200 + random.below(4000);
  const lines = [
    'From: Sender <sender@example.org>',
    'To: reader@example.org',
    `Subject: message ${id}`,
    `Message-ID: <${id}>`,
    'Date: Mon, 05 Jan 2026 10:00:00 +0000',
    '',
  ];
  const line = `${id} ${random.below(2 ** 30).toString(36).padStart(6, '0')} ${'.'.repeat(40)}`;
  for (let length = 0; length < size; length += line.length + 2) lines.push(line);
  return Buffer.from(lines.join('\r\n') + '\r\n');
}

/** The identity in a header or message, or what stands there instead. */
export function idOf(bytes: Buffer): string {
  const head = bytes.toString('latin1', 0, 4096);
  return /^Message-ID: <([^>]*)>/im.exec(head)?.[1] ?? `(none in ${JSON.stringify(head.slice(0, 80))})`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return value;
}
