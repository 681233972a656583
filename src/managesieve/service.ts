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
    notify: extensions.includes('enotify') ? ['mailto', ...language.notify.schemes] : [],
    lists: extensions.includes('extlists') ? schemesOf(language.lists) : [],
    check: (script) =>
      compile(Buffer.from(script.buffer, script.byteOffset, script.length).toString('latin1'), {
        allowed,
        settings: language,
        maxSize: settings.sieve_maxscriptsize,
      }).diagnostics,
  };
}

/** Of the URIs that name lists (RFC 6134), each once. */
function schemesOf(names: Iterable<string>): string[] {
  const schemes = [...names].flatMap((name) =>
    // Those of the registry are kept without what they all begin with (`listName`).
    name.startsWith(':') ? 'urn' : /^([a-z][a-z0-9+.-]*):/.exec(name)?.[1] ?? []
  );
  return [...new Set(schemes)].sort();
}
