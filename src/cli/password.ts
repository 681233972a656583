/** A new password, from the person at the terminal or from standard input; never from the command line. */

import { userError } from '../errors.ts';
import type { CommandIo } from './command.ts';
import type { Terminal } from './terminal.ts';

/** More than a password can have, so that a wrong file on standard input is not read to its end. */
const MAX_INPUT = 64 << 10;

/**
 * Asks twice at a terminal; otherwise takes the first line of standard input, without its line end.
 * @throws MailError 'cannot' when the two differ or there is none
 */
export async function newPassword(userid: string, io: CommandIo, terminal: Terminal | null): Promise<string> {
  if (terminal === null) return await firstLine(io.stdin);
  const password = await terminal.ask(`New password for ${userid}: `, { echo: false });
  if (password === '') throw userError('cannot', 'the password is empty, nothing was changed');
  const again = await terminal.ask('The same again: ', { echo: false });
  if (password !== again) throw userError('cannot', 'the two passwords differ, nothing was changed');
  return password;
}

async function firstLine(input: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    const end = chunk.indexOf(0x0a);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    size += chunk.length;
    if (end >= 0 || size > MAX_INPUT) break;
  }
  let line: string;
  try {
    line = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw userError('cannot', 'the password on standard input is not UTF-8');
  }
  if (line.endsWith('\r')) line = line.slice(0, -1);
  if (line === '') throw userError('cannot', 'there is no password on the first line of standard input');
  return line;
}
