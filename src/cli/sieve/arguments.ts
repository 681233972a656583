/** The command line of `mailstore sieve`. */

import type { CommandIo } from '../command.ts';
import type { Arguments } from '../options.ts';

export const sieveArguments = {
  config: { short: 'c', value: 'FILE' },
  imapdConf: { short: 'C', value: 'FILE' },
  cyrusConf: { short: 'M', value: 'FILE' },
  help: { short: 'h' },
  json: {},
  output: { short: 'o', value: 'FILE' },
  message: { short: 'm', value: 'FILE' },
  from: { short: 'f', value: 'ADDRESS' },
  to: { short: 'r', value: 'ADDRESS' },
  quiet: { short: 'q' },
  errors: { short: 'E' },
  expectFailure: { short: 'F' },
  trace: { short: 't', value: 'FILE' },
  workFolder: { short: 'W', value: 'FOLDER' },
} as const;

export type SieveOptions = Arguments<typeof sieveArguments>;

/** One of the things `mailstore sieve` does; resolves to an exit code of sysexits(3). */
export type SieveAction = (
  operands: readonly string[],
  options: SieveOptions,
  io: CommandIo,
) => Promise<number>;
