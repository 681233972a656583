/**
 * Passwords that became known at a login are kept in the store as keys of SCRAM (`sasl_auto_transition`): of users who were
 * imported with a hash, and of users whom another way to check passwords knows.
 */

import type { Settings } from '../../config/settings.ts';
import { retrievableSecrets } from '../../config/retrievable.ts';
import { asMailError } from '../../errors.ts';
import type { Secrets } from '../../store/border.ts';
import type { Log } from '../../telemetry/log.ts';
import { makeSecret } from './embedded.ts';
import type { Asking, SecretSource, SourceAbilities, UserSecret } from './source.ts';

/** Keeps passwords that were right. */
export interface Learn {
  /** The record of a user as it is now, to be read before the password is checked. @throws MailError 'unavailable' */
  before(userid: string): string | null;
  /**
   * Keeps it, unless the record is another than `before` by now: whoever set or removed the password meanwhile knows better.
   * Resolves when it is durable or was not kept; never rejects.
   */
  keep(userid: string, password: string, before: string | null): Promise<void>;
}

/** Undefined where nothing is to be learned. */
export function learning(
  settings: Pick<Settings, 'sasl_auto_transition' | 'sasl_mech_list' | 'allowapop'>,
  secrets: Pick<Secrets, 'get' | 'replace'>,
  log: Log,
): Learn | undefined {
  const how = settings.sasl_auto_transition;
  if (how === 'off') return undefined;
  return {
    before: (userid) => secrets.get(userid)?.secret ?? null,
    async keep(userid, password, before) {
      try {
        const secret = await makeSecret(password, how === 'yes' && retrievableSecrets(settings));
        if (!await secrets.replace(userid, before, secret)) return;
        log.info('password taken over', { user: userid });
      } catch (thrown) {
        log.warn('password not taken over', { user: userid, error: asMailError(thrown) });
      }
    },
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
    const before = this.#before(userid);
    const right = await this.#source.verify(userid, password, asking);
    if (right && userid !== null && before !== undefined) void this.#keep(userid, password, before);
    return right;
  }

  secret(userid: string | null): Promise<UserSecret | null> {
    return this.#source.secret(userid);
  }

  /** Undefined where the store cannot be read: then nothing is kept. */
  #before(userid: string | null): string | null | undefined {
    try {
      return userid === null ? null : this.#learn.before(userid);
    } catch {
      return undefined;
    }
  }

  async #keep(userid: string, password: string, before: string | null): Promise<void> {
    try {
      if (await this.#embedded.verify(userid, password)) return;
    } catch {
      return; // Its record cannot be read: that is for the administrator.
    }
    await this.#learn.keep(userid, password, before);
  }
}
