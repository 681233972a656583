/** `mailstore sieve run`: what a script would do with a message, and why. Nothing is done. */

import { writeFileSync } from 'node:fs';
import type { ExternalLists } from '../../delivery/externallists.ts';
import type { Host } from '../../sieve/host.ts';
import { run } from '../../sieve/machine.ts';
import { Mail } from '../../sieve/mail/mail.ts';
import { strictFromOctets, toOctets } from '../../sieve/octets.ts';
import type { TraceLine } from '../../sieve/run.ts';
import type { CommandIo } from '../command.ts';
import { usageError } from '../options.ts';
import { printable } from '../table.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import type { SieveAction } from './arguments.ts';
import { describe } from './describe.ts';
import { languageOf } from './language.ts';
import { compileFile, located, readInput } from './source.ts';

/** A world in which every mailbox is there and nothing is known but the lists of a configuration. */
function emptyHost(io: CommandIo, lists: ExternalLists | null): Host {
  const now = Date.now();
  return {
    now,
    mailboxExists: () => true,
    mailboxIdExists: () => false,
    specialUseExists: () => false,
    metadata: () => null,
    notifyMethod: () => null,
    zoneOffset: (seconds) => -new Date(seconds * 1000).getTimezoneOffset(),
    environment: (item) => item === 'location' ? 'MS' : item === 'phase' ? 'during' : null,
    seen: () => false,
    script: () => null,
    listed: (list, value) => lists?.find(list, value, now) ?? null,
    members: (list) => lists?.addresses(list, now) ?? [],
    program: ({ name }) =>
      Promise.resolve({ failed: `program "${name}": none is run here`, output: new Uint8Array(0) }),
    log: (text) => io.stderr(`log: ${printable(text)}\n`),
  };
}

export const runScript: SieveAction = async ([path, odd], options, io) => {
  if (path === undefined || odd !== undefined) throw usageError('sieve run needs one script');
  if (path === '-' && options.message === undefined) {
    throw usageError('the script is on standard input: the message must come from a file (-m FILE)');
  }
  const language = languageOf(options);
  const { compiled: { program, diagnostics } } = await compileFile(path, language.compile, io);
  for (const found of diagnostics) io.stderr(located(path, found));
  if (program === null) return EX_DATAERR;
  const message = new Mail(await readInput(options.message ?? '-', io));
  const first = (name: string): string | undefined => message.fields(name).addresses('all').items[0];
  const trace: TraceLine[] = [];
  const outcome = await run(program, {
    message,
    envelope: {
      from: options.from === undefined ? first('return-path') ?? first('from') ?? '' : toOctets(options.from),
      to: options.to === undefined ? first('delivered-to') ?? first('to') ?? '' : toOctets(options.to),
      originalTo: null,
      auth: null,
    },
    host: emptyHost(io, language.lists),
    ...(language.compile.settings === undefined ? {} : { settings: language.compile.settings }),
    trace: (line) => trace.push(line),
  });
  const { error, result } = outcome;
  const actions = error === null ? result.decided() : [];
  if (options.json) {
    io.stdout(`${JSON.stringify({ trace, actions: actions.map(describe), error: error?.text ?? null })}\n`);
    return error === null ? EX_OK : EX_DATAERR;
  }
  if (!options.quiet) { for (const line of trace) io.stdout(`${traceText(line)}\n`); }
  for (const action of actions) io.stdout(`=> ${printable(describe(action))}\n`);
  if (error !== null) {
    io.stdout('=> keep (the script failed)\n');
    io.stderr(located(path, error));
  }
  if (options.output !== undefined) writeFileSync(options.output, message.bytes());
  return error === null ? EX_OK : EX_DATAERR;
};

/** `3:4 header: true`, for a terminal. */
export function traceText({ line, column, text }: TraceLine): string {
  return `${line}:${column} ${printable(readable(text))}`;
}

/** Strings of a script are octets in a trace. */
function readable(text: string): string {
  return /[^\x00-\xff]/.test(text) ? text : strictFromOctets(text) ?? text;
}
