/** What scripts may require, where a configuration says so. */

import { allowedCapabilities } from '../../delivery/language.ts';
import { settingsFrom } from '../options.ts';
import type { SieveOptions } from './arguments.ts';

/** The capabilities that the configuration allows; null, which is all, where none is named on the command line. */
export function allowedBy(options: SieveOptions): ReadonlySet<string> | null {
  if (options.config === undefined && options.imapdConf === undefined) return null;
  return new Set(allowedCapabilities(settingsFrom(options).settings));
}
