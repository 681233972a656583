/** `mailstore sieve compile`: a script as the program that the server makes of it. */

import { writeFileSync } from 'node:fs';
import { usageError } from '../options.ts';
import { EX_CANTCREAT, EX_DATAERR, EX_OK } from '../sysexits.ts';
import type { SieveAction } from './arguments.ts';
import { listing } from './listing.ts';
import { languageOf } from './language.ts';
import { compileFile, located } from './source.ts';

export const compileScript: SieveAction = async ([path, target, odd], options, io) => {
  if (path === undefined) throw usageError('sieve compile needs a script');
  if (odd !== undefined) throw usageError('sieve compile takes a script and a file to write to');
  const { compiled: { program, diagnostics } } = await compileFile(path, languageOf(options).compile, io);
  for (const found of diagnostics) io.stderr(located(path, found));
  if (program === null) return EX_DATAERR;
  const output = target ?? options.output;
  if (output === undefined) {
    io.stdout(listing(program));
    return EX_OK;
  }
  try {
    writeFileSync(output, listing(program));
  } catch (thrown) {
    io.stderr(`${output}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return EX_CANTCREAT;
  }
  return EX_OK;
};
