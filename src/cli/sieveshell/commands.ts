/** The commands that are typed into sieveshell: their words, and what each does. */

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { userError } from '../../errors.ts';
import type { CommandIo } from '../command.ts';
import { printable } from '../table.ts';
import { contentOf } from './arguments.ts';
import type { SieveClient } from './client.ts';

interface ShellCommand {
  /** Shorter names. */
  readonly also: readonly string[];
  readonly usage: string;
  readonly says: string;
  /** How many words may stand behind it. */
  readonly least: number;
  readonly most: number;
  run(client: SieveClient, words: readonly string[], io: CommandIo): Promise<void>;
}

export const SHELL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  list: {
    also: ['l', 'ls'],
    usage: 'list',
    says: 'list the scripts on the server',
    least: 0,
    most: 0,
    async run(client, _words, io) {
      for (const { name, active } of await client.list()) {
        io.stdout(`${printable(name)}${active ? '  <- active script' : ''}\n`);
      }
    },
  },
  put: {
    also: ['p'],
    usage: 'put FILE [NAME]',
    says: 'put a script on the server, under the name of the file unless another is given',
    least: 1,
    most: 2,
    async run(client, [file = '', name = basename(file)], io) {
      tell(await client.put(name, contentOf(file)), io);
    },
  },
  get: {
    also: ['g'],
    usage: 'get NAME [FILE]',
    says: 'get a script, into a file or shown',
    least: 1,
    most: 2,
    async run(client, [name = '', file], io) {
      const script = await client.get(name);
      if (file === undefined) io.stdout(script);
      else save(file, script);
    },
  },
  check: {
    also: ['c'],
    usage: 'check FILE',
    says: 'have a script checked without putting it there',
    least: 1,
    most: 1,
    async run(client, [file = ''], io) {
      tell(await client.check(contentOf(file)), io);
    },
  },
  activate: {
    also: ['a'],
    usage: 'activate NAME',
    says: 'make a script the one that filters',
    least: 1,
    most: 1,
    run: (client, [name = '']) => client.activate(name),
  },
  deactivate: {
    also: ['da'],
    usage: 'deactivate',
    says: 'let no script filter',
    least: 0,
    most: 0,
    run: (client) => client.activate(''),
  },
  delete: {
    also: ['d'],
    usage: 'delete NAME',
    says: 'delete a script that is not active',
    least: 1,
    most: 1,
    run: (client, [name = '']) => client.delete(name),
  },
  rename: {
    also: ['mv'],
    usage: 'rename OLD NEW',
    says: 'call a script otherwise',
    least: 2,
    most: 2,
    run: (client, [from = '', to = '']) => client.rename(from, to),
  },
};

/** A line that ends the session. */
export function isQuit(words: readonly string[]): boolean {
  return ['quit', 'q', 'exit'].includes(words[0] ?? '');
}

/** The words of a line; a name with blanks in it stands in quotes, in which \" and \\ stand for themselves. */
export function readWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, word]) =>
    quoted === undefined ? word ?? '' : quoted.replace(/\\(.)/g, '$1')
  );
}

/** @throws MailError 'badsyntax' for what is no command, and what the command throws */
export async function runWords(words: readonly string[], client: SieveClient, io: CommandIo): Promise<void> {
  const [name = '', ...rest] = words;
  if (name === 'help' || name === '?') {
    io.stdout(help());
    return;
  }
  const command = Object.entries(SHELL_COMMANDS).find(([known, { also }]) =>
    known === name || also.includes(name)
  )?.[1];
  if (command === undefined) {
    throw userError('cannot', `there is no command ${printable(name)}; help lists them`);
  }
  if (rest.length < command.least || rest.length > command.most) {
    throw userError('cannot', `expected ${command.usage}`);
  }
  await command.run(client, rest, io);
}

function help(): string {
  const lines = Object.values(SHELL_COMMANDS).map(({ usage, says }) => `  ${usage.padEnd(18)}${says}\n`);
  return `${lines.join('')}  ${'quit'.padEnd(18)}end\n`;
}

/** What the server warns of, line by line. */
function tell(warnings: string, io: CommandIo): void {
  if (warnings === '') return;
  for (const line of warnings.split(/\r?\n/)) io.stderr(`${printable(line)}\n`);
}

/** @throws MailError 'cannot' */
export function save(file: string, script: Buffer): void {
  try {
    writeFileSync(file, script);
  } catch (thrown) {
    throw userError(
      'cannot',
      `${file} cannot be written: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
  }
}
