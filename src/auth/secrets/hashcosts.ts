/**
 * What a wrong password costs where hashes differ: bcrypt, yescrypt and argon2 take a hundred times what SCRAM's keys take, so
 * that a user whose password is kept in one of them could be told from one who is not there.
 *
 * Invariants
 * 1. Before a password is called wrong, one hash of each kind that the source has was checked, whoever was asked for: the
 *    user's own of its kind, somebody's of the others. What is right is said as soon as it is known.
 * 2. A kind is a method with its parameters. At most `limits.hash_kinds` are known; users of any further kind take longer.
 * 3. What goes wrong with somebody else's hash says nothing about the user who was asked for.
 */

import { limits } from '../../limits.ts';

/**
 * Method and parameters of a hash, without salt and digest: `2$12`, `y$j9T`, `6`, `argon2id$v=19$m=65536,t=2,p=1`.
 * Null for digests of one round, which are too fast to be told from anything.
 */
export function costOf(hash: string): string | null {
  const bare = hash.replace(/^\{(?:CRYPT|BLF-CRYPT|ARGON2)\}/i, '');
  if (bare.startsWith('{')) return null;
  if (!bare.startsWith('$')) return bare.startsWith('_') ? bare.slice(0, 5) : 'des';
  const [, method = '', ...fields] = bare.split('$');
  // bcrypt has salt and digest in one field, and letters for the programs that had it wrong.
  if (/^2[abxy]$/.test(method)) return ['2', ...fields.slice(0, -1)].join('$');
  return [method, ...fields.slice(0, -2)].join('$');
}

/** Checks a password against one hash. */
export type HashCheck = (hash: string, password: string) => Promise<boolean>;

export class HashCosts {
  readonly #check: HashCheck;
  readonly #survey: () => AsyncIterable<string>;
  /** A hash of each kind. */
  readonly #samples = new Map<string, string>();
  #surveyed: Promise<void> | undefined;

  /** @param survey the hashes a source has; read once, when the first password is wrong */
  constructor(check: HashCheck, survey: () => AsyncIterable<string> = nothing) {
    this.#check = check;
    this.#survey = survey;
  }

  /** A hash of the source: its kind is known from now on. */
  note(hash: string): void {
    const cost = costOf(hash);
    if (cost === null || this.#samples.has(cost)) return;
    if (this.#samples.size < limits.hash_kinds.value) this.#samples.set(cost, hash);
  }

  /**
   * Whether one of the user's own hashes has this password; if not, resolves after the work that everybody costs.
   * @param own none where there is no such user
   * @throws MailError 'unavailable' where an own hash cannot be checked
   */
  async matches(own: readonly string[], password: string): Promise<boolean> {
    for (const hash of own) {
      this.note(hash);
      if (await this.#check(hash, password)) return true;
    }
    await (this.#surveyed ??= this.#look());
    const paid = new Set(own.map(costOf));
    for (const [cost, hash] of this.#samples) {
      if (!paid.has(cost)) await this.#check(hash, password).catch(() => false);
    }
    return false;
  }

  async #look(): Promise<void> {
    try {
      for await (const hash of this.#survey()) this.note(hash);
    } catch {
      // What cannot be read is told of where it is needed.
    }
  }
}

async function* nothing(): AsyncGenerator<string> {}
