/**
 * Several sources of secrets, in order (`sasl_pwcheck_method`, `sasl_auxprop_plugin`).
 *
 * Invariants
 * 1. Before a password is called wrong, all have been asked: how long that takes does not tell which of them knows a user.
 * 2. A source that cannot answer counts only where no other knows the user: then nobody can tell, and 'unavailable' it is.
 * 3. A source is asked once the one before it has said no, or has said nothing for `PATIENCE_MS`, for secrets all at once;
 *    one that hangs for longer does not keep out the users of the others.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Asking, SecretSource, SourceAbilities, UserSecret } from './source.ts';

/** Longer than a hash or a directory that is well takes. */
const PATIENCE_MS = 300;

export class SecretSources implements SecretSource {
  readonly abilities: SourceAbilities;
  readonly #sources: readonly SecretSource[];
  readonly #patience: () => Promise<unknown>;

  /**
   * @param sources the one to be preferred first
   * @param patience resolves when a source has been waited for long enough; for tests
   */
  constructor(
    sources: readonly SecretSource[],
    patience: () => Promise<unknown> = () => sleep(PATIENCE_MS, undefined, { ref: false }),
  ) {
    this.#sources = sources;
    this.#patience = patience;
    const scram = sources.map(({ abilities }) => abilities.scram);
    this.abilities = {
      plain: sources.some(({ abilities }) => abilities.plain),
      scram: scram.includes('derived') ? 'derived' : scram.includes('stored') ? 'stored' : false,
    };
  }

  async verify(userid: string | null, password: string, asking?: Asking): Promise<boolean> {
    const { promise: yes, resolve: settle } = Promise.withResolvers<true>();
    const asked: Promise<boolean>[] = [];
    for (const source of this.#sources) {
      const one = source.verify(userid, password, asking);
      asked.push(one);
      const over = one.then((right) => right ? settle(true) : undefined, () => {});
      if (await Promise.race([yes, over, this.#patience()]) === true) return true;
    }
    const all = Promise.allSettled(asked);
    const ended = await Promise.race([yes, all]);
    if (ended === true || ended.some((one) => one.status === 'fulfilled' && one.value)) return true;
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    return false;
  }

  /**
   * What the first source says that knows the user. All are asked at once and waited for, so that the time does not tell
   * which of them knows a user; one that has said nothing for `PATIENCE_MS` keeps out nobody whom another one knows.
   */
  async secret(userid: string | null): Promise<UserSecret | null> {
    const found: (UserSecret | null)[] = this.#sources.map(() => null);
    const known = () => found.find((secret) => secret !== null) ?? null;
    const { promise: oneMore, resolve: tell } = Promise.withResolvers<undefined>();
    const asked = this.#sources.map(async (source, index) => {
      found[index] = await source.secret(userid);
      if (found[index] !== null) tell(undefined);
    });
    const all = Promise.allSettled(asked);
    await Promise.race([all, this.#patience()]);
    const ended = known() === null ? await Promise.race([oneMore, all]) : undefined;
    if (known() !== null) return known();
    for (const one of ended ?? []) if (one.status === 'rejected') throw one.reason;
    return null;
  }
}
