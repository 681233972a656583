/** Which secrets a configuration needs: here, since whoever asks it needs no table of options for it. */

import type { Settings } from './settings.ts';

/** True where a mechanism is offered that needs secrets the server can read back (RFC 2195, RFC 2831, APOP). */
export function retrievableSecrets(settings: Pick<Settings, 'sasl_mech_list' | 'allowapop'>): boolean {
  return settings.allowapop ||
    settings.sasl_mech_list.some((mechanism) => mechanism === 'CRAM-MD5' || mechanism === 'DIGEST-MD5');
}
