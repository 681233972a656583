/**
 * Passwords that became known at a login are kept in the store as keys of SCRAM (`sasl_auto_transition`): of users who were
 * imported with a hash, and of users whom another way to check passwords knows.
 */

import type { Settings } from '../../config/settings.ts';
import { retrievableSecrets } from '../../config/settings.ts';
import { asMailError } from '../../errors.ts';
import type { Secrets } from '../../store/border.ts';
import type { Log } from '../../telemetry/log.ts';
import { makeSecret } from './embedded.ts';
import type { Asking, SecretSource, SourceAbilities, UserSecret } from './source.ts';

/** Keeps a password that was right. Resolves when it is durable or was not kept; never rejects. */
export type Learn = (userid: string, password: string) => Promise<void>;

/** Undefined where nothing is to be learned. */
export function learning(
  settings: Pick<Settings, 'sasl_auto_transition' | 'sasl_mech_list' | 'allowapop'>,
  secrets: Pick<Secrets, 'get' | 'set'>,
  log: Log,
): Learn | undefined {
  const how = settings.sasl_auto_transition;
  if (how === 'off') return undefined;
  return async (userid, password) => {
    try {
      const before = secrets.get(userid)?.changed;
      const secret = await makeSecret(password, how === 'yes' && retrievableSecrets(settings));
      // Somebody who set or removed the password meanwhile knows better.
      if (secrets.get(userid)?.changed !== before) return;
      await secrets.set(userid, secret);
      log.info('password taken over', { user: userid });
    } catch (thrown) {
      log.warn('password not taken over', { user: userid, error: asMailError(thrown) });
    }
  };
}

/** A source whose passwords are learned when the store does not have them. */
export class LearnedSource implements SecretSource {
  readonly abilities: SourceAbilities;
  readonly #source: SecretSource;
  readonly #embedded: SecretSource;
  readonly #learn: Learn;

  constructor(source: SecretSource, embedded: SecretSource, learn: Learn) {
    this.abilities = source.abilities;
    this.#source = source;
    this.#embedded = embedded;
    this.#learn = learn;
  }

  async verify(userid: string | null, password: string, asking?: Asking): Promise<boolean> {
    const right = await this.#source.verify(userid, password, asking);
    if (right && userid !== null) void this.#keep(userid, password);
    return right;
  }

  secret(userid: string | null): Promise<UserSecret | null> {
    return this.#source.secret(userid);
  }

  async #keep(userid: string, password: string): Promise<void> {
    try {
      if (await this.#embedded.verify(userid, password)) return;
    } catch {
      return; // Its record cannot be read: that is for the administrator.
    }
    await this.#learn(userid, password);
  }
}
