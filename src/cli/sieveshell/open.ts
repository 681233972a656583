/** From a command line to a client that is logged in: what sieveshell and installsieve begin with. */

import type { CommandIo } from '../command.ts';
import { Input } from '../imtest/input.ts';
import { usageError } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { type LoginOptions, readLogin } from './arguments.ts';
import { SieveClient } from './client.ts';

/** Who is asked, and what comes in behind the password. */
export interface Conversation {
  readonly io: CommandIo;
  readonly person: Terminal | null;
  readonly input: Input;
}

export function conversation(io: CommandIo, person: Terminal | null): Conversation {
  return { io, person, input: new Input(() => person?.typed() ?? io.stdin) };
}

/**
 * Logs in to the server that the operands name. A password that is not given is asked for, or is the first line of standard
 * input.
 * @throws MailError 'badsyntax' for a wrong command line, and what `SieveClient.login` throws
 */
export async function openClient(
  command: string,
  [server, odd]: readonly string[],
  options: LoginOptions & { readonly password: string | undefined },
  { io, person, input }: Conversation,
  port?: string,
): Promise<SieveClient> {
  if (server === undefined) throw usageError(`${command} needs a SERVER`);
  if (odd !== undefined) throw usageError(`${command} takes one server, not "${odd}" as well`);
  const login = readLogin(server, options, port);
  const password = (): Promise<string> =>
    options.password === undefined
      ? person?.ask('Please enter your password: ', { echo: false }) ?? input.firstLine()
      : Promise.resolve(options.password);
  return await SieveClient.login(login, password, (text) => io.stderr(text));
}
