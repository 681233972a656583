/** The language as a configuration has it: what scripts may require, which lists there are. */

import { ExternalLists } from '../../delivery/externallists.ts';
import { allowedCapabilities, sieveSettings } from '../../delivery/language.ts';
import type { CompileOptions } from '../../sieve/compile.ts';
import { silentLog } from '../../telemetry/log.ts';
import { settingsFrom } from '../options.ts';
import type { SieveOptions } from './arguments.ts';

export interface Language {
  readonly compile: Pick<CompileOptions, 'allowed' | 'settings'>;
  /** Null where no configuration is named, which has none. */
  readonly lists: ExternalLists | null;
}

/** The language that the configuration allows; all of it, where none is named on the command line. */
export function languageOf(options: SieveOptions): Language {
  if (options.config === undefined && options.imapdConf === undefined) return { compile: {}, lists: null };
  const { settings } = settingsFrom(options);
  return {
    compile: { allowed: new Set(allowedCapabilities(settings)), settings: sieveSettings(settings) },
    lists: new ExternalLists(settings, silentLog),
  };
}
