/** ManageSieve as a worker plugs it in: the protocol, with the language as this configuration has it. */

import type { Settings } from '../config/settings.ts';
import { allowedCapabilities, sieveSettings } from '../delivery/language.ts';
import type { Protocol } from '../net/service.ts';
import { compile } from '../sieve/extensions.ts';
import type { Language } from './language.ts';
import { createManageSieve } from './protocol.ts';
import type { ManageSieveServices } from './session.ts';

/** The ManageSieve protocol of a process. */
export function createManageSieveService(deps: Omit<ManageSieveServices, 'language'>): Protocol {
  return createManageSieve({ ...deps, language: languageOf(deps.settings) });
}

/** What scripts may say, and their check, which is a compilation as before every run. */
export function languageOf(settings: Settings): Language {
  const extensions = allowedCapabilities(settings);
  const allowed = new Set(extensions);
  const language = sieveSettings(settings);
  return {
    extensions,
    maxRedirects: settings.sieve_max_redirects,
    notify: extensions.includes('enotify') ? ['mailto'] : [],
    lists: [],
    check: (script) =>
      compile(Buffer.from(script.buffer, script.byteOffset, script.length).toString('latin1'), {
        allowed,
        settings: language,
        maxSize: settings.sieve_maxscriptsize,
      }).diagnostics,
  };
}
