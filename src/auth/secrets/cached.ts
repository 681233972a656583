/**
 * A source that is asked elsewhere, with a short memory for passwords that were right: a webmail logs in for every page.
 * A password that is changed there is noticed when the memory ends (`auth.sasl_cache_life`); what was wrong is asked anew.
 */

import { Proofs } from './proofs.ts';
import type { Asking, SecretSource, SourceAbilities, UserSecret } from './source.ts';

export class CachedSource implements SecretSource {
  readonly abilities: SourceAbilities;
  readonly #source: SecretSource;
  readonly #name: string;
  readonly #proofs: Proofs;

  /**
   * @param name of the source, part of every key
   * @param proofs how long is theirs to say
   */
  constructor(source: SecretSource, name: string, proofs: Proofs) {
    this.abilities = source.abilities;
    this.#source = source;
    this.#name = name;
    this.#proofs = proofs;
  }

  async verify(userid: string | null, password: string, asking?: Asking): Promise<boolean> {
    // Everything the answer can depend on: PAM and saslauthd are told of service and peer.
    const proof = this.#proofs.proof([
      this.#name,
      userid ?? '',
      password,
      asking?.protocol ?? '',
      asking?.remoteAddress ?? '',
    ]);
    if (userid !== null && this.#proofs.holds(proof)) return true;
    const right = await this.#source.verify(userid, password, asking);
    if (right) this.#proofs.remember(proof);
    return right;
  }

  secret(userid: string | null): Promise<UserSecret | null> {
    return this.#source.secret(userid);
  }
}
