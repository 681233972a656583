/** The way to the secrets, with no more code behind it than the configuration asks for. */

import type { Settings } from '../../config/settings.ts';
import type { SourceSurroundings } from './configured.ts';
import type { SecretSource } from './source.ts';

/** What the store's own secrets are called among the sources. */
const EMBEDDED = 'sasldb';

/**
 * All sources a configuration names as one. Directories, PAM and files are loaded where they are named: most servers have the store's
 * own secrets, and a start is mostly loading.
 * @throws MailError 'config' for a file that cannot be read
 */
export async function openSecrets(
  settings: Settings,
  surroundings: SourceSurroundings,
): Promise<SecretSource> {
  const { sasl_pwcheck_method: methods, sasl_auxprop_plugin: plugins } = settings;
  const own = methods.length === 1 && methods[0] === 'auxprop' && plugins.length === 1 &&
    plugins[0] === EMBEDDED;
  if (own) return surroundings.embedded;
  return (await import('./configured.ts')).configuredSecrets(settings, surroundings);
}
