/** `mailstore sieve check`: what is wrong with scripts. */

import { usageError } from '../options.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import type { SieveAction } from './arguments.ts';
import { languageOf } from './language.ts';
import { compileFile, located } from './source.ts';

export const check: SieveAction = async (paths, options, io) => {
  if (paths.length === 0) throw usageError('sieve check needs a script');
  const language = languageOf(options).compile;
  const findings: unknown[] = [];
  let fine = true;
  for (const path of paths) {
    const { compiled } = await compileFile(path, language, io);
    if (compiled.program === null) fine = false;
    for (const found of compiled.diagnostics) {
      if (options.json) findings.push({ file: path, ...found });
      else io.stdout(located(path, found));
    }
  }
  if (options.json) io.stdout(`${JSON.stringify(findings)}\n`);
  return fine ? EX_OK : EX_DATAERR;
};
