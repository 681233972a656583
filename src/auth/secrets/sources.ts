/**
 * Several sources of secrets, asked in order (`sasl_pwcheck_method`, `sasl_auxprop_plugin`).
 *
 * Invariants
 * 1. All are asked, whoever answers first: how long it takes does not tell which of them knows a user.
 * 2. A source that cannot answer counts only where no other knows the user: then nobody can tell, and 'unavailable' it is.
 */

import type { SecretSource, SourceAbilities, UserSecret } from './source.ts';

export class SecretSources implements SecretSource {
  readonly abilities: SourceAbilities;
  readonly #sources: readonly SecretSource[];

  /** @param sources the one to be preferred first */
  constructor(sources: readonly SecretSource[]) {
    this.#sources = sources;
    const scram = sources.map(({ abilities }) => abilities.scram);
    this.abilities = {
      plain: sources.some(({ abilities }) => abilities.plain),
      scram: scram.includes('derived') ? 'derived' : scram.includes('stored') ? 'stored' : false,
    };
  }

  async verify(userid: string | null, password: string): Promise<boolean> {
    const found = await this.#ask((source) => source.verify(userid, password), (right) => right);
    return found ?? false;
  }

  async secret(userid: string | null): Promise<UserSecret | null> {
    return await this.#ask((source) => source.secret(userid), (secret) => secret !== null) ?? null;
  }

  /** The first answer that settles it; undefined where none does. */
  async #ask<Answer>(
    ask: (source: SecretSource) => Promise<Answer>,
    settles: (answer: Answer) => boolean,
  ): Promise<Answer | undefined> {
    const ended = await Promise.allSettled(this.#sources.map(ask));
    for (const one of ended) if (one.status === 'fulfilled' && settles(one.value)) return one.value;
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    return undefined;
  }
}
