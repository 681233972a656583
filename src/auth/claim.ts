/**
 * Who a client claims to be in an exchange of challenge and response, and what is known to check it with. Somebody who
 * does not exist, or whose source has nothing a mechanism can use, gets a decoy: the exchange looks the same and fails.
 */

import type { Decoy } from './decoy.ts';
import type { Origin, Reason } from './attempt.ts';
import { saslprep } from './saslprep.ts';
import { scramKeys } from './scramkeys.ts';
import type { ScramHash, ScramKeys, SourceAbilities, UserSecret } from './secrets/source.ts';

/** More rounds than this come from a damaged or hostile directory, and would cost the client its time. */
const MOST_ITERATIONS = 1_000_000;

export class Claim {
  readonly #secret: UserSecret | null;
  readonly #decoy: Decoy;
  readonly #abilities: SourceAbilities;
  #weakness: Reason | null = null;

  constructor(
    /** As the client wrote it. */
    readonly authcid: string,
    /** Canonical; null where the name cannot be anybody's. */
    readonly userid: string | null,
    readonly origin: Origin,
    secret: UserSecret | null,
    decoy: Decoy,
    abilities: SourceAbilities,
  ) {
    this.#secret = secret;
    this.#decoy = decoy;
    this.#abilities = abilities;
  }

  /** Set where the user is there, but the mechanism had to be given a decoy: for the administrator's log. */
  get weakness(): Reason | null {
    return this.#weakness;
  }

  /** The password; a decoy where there is none. */
  get plain(): string {
    const plain = this.#secret?.plain;
    if (plain === undefined) this.#weak();
    return plain ?? this.#decoy.password();
  }

  /** The keys of SCRAM: kept ones, or made of the password. */
  async scram(hash: ScramHash): Promise<ScramKeys> {
    const kept = this.#secret?.scram?.[hash];
    if (kept !== undefined && kept.iterations >= 1 && kept.iterations <= MOST_ITERATIONS) return kept;
    const name = this.userid ?? this.authcid;
    const plain = this.#secret?.plain;
    const prepared = plain === undefined ? null : saslprep(plain, 'query');
    if (prepared === null || prepared === '') {
      this.#weak();
      // Where passwords are turned into keys for those who are there, it takes the same time for the others.
      if (this.#abilities.scram === 'derived') {
        await scramKeys(this.#decoy.password(), hash, this.#decoy.salt(name));
      }
      return this.#decoy.keys(name, hash);
    }
    return await scramKeys(prepared, hash, this.#decoy.salt(name));
  }

  #weak(): void {
    if (this.#secret !== null) this.#weakness = 'secret';
  }
}
