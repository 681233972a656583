/**
 * The keys of an identity provider (RFC 7517), from a file or from its URL.
 *
 * Invariants
 * 1. Where keys come from is configuration alone: nothing in a token (`kid`, `jku`, `x5u`) is a path or an address.
 * 2. Keys are fetched at most every `limits.jwks_pause`, whatever tokens claim to be signed with.
 * 3. A provider that is down leaves the keys that are known.
 */

import { readFile, stat } from 'node:fs/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { fetchJson } from './http.ts';

/** Gives jose the key of a token. @throws MailError 'unavailable' where no keys can be had, an error of jose for no key */
export type KeySource = () => Promise<JWTVerifyGetKey>;

/** Keys of a file, read again when it has changed. */
export function fileKeys(path: string): KeySource {
  let known: { readonly stamp: string; readonly keys: JWTVerifyGetKey } | undefined;
  return async () => {
    try {
      const { mtimeNs, size, ino } = await stat(path, { bigint: true });
      const stamp = `${mtimeNs} ${size} ${ino}`;
      if (known?.stamp !== stamp) {
        if (size > limits.oauth_bytes.value) {
          throw new Error(`it is longer than ${limits.oauth_bytes.value} bytes`);
        }
        known = { stamp, keys: keySet(JSON.parse(await readFile(path, 'utf8'))) };
      }
      return known.keys;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw serverError(`the keys of tokens in ${path} cannot be read: ${reason}`, thrown);
    }
  };
}

/**
 * Keys of a URL, kept for `limits.jwks_life`; fetched anew for a key that is not among them.
 * @param now milliseconds of a clock that only goes forward
 */
export function remoteKeys(url: string, ca: string, now: () => number = () => performance.now()): KeySource {
  let keys: JWTVerifyGetKey | undefined;
  let fetched = -Infinity;
  let tried = -Infinity;
  let failure: unknown;
  let running: Promise<void> | undefined;

  const renew = (): Promise<void> => {
    if (running !== undefined) return running;
    if (now() - tried < limits.jwks_pause.value * 1000) return Promise.resolve();
    tried = now();
    const fetching = async () => {
      try {
        keys = keySet(await fetchJson(url, {}, ca));
        fetched = now();
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        failure = serverError(`the keys of tokens cannot be had: ${reason}`, thrown);
      }
    };
    return running = fetching().finally(() => running = undefined);
  };

  return async () => {
    if (keys === undefined || now() - fetched > limits.jwks_life.value * 1000) await renew();
    if (keys === undefined) throw failure;
    return async (header, token) => {
      try {
        return await (keys as JWTVerifyGetKey)(header, token);
      } catch (thrown) {
        if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
        // The provider may have a new key.
        const before = keys;
        await renew();
        if (keys === before) throw thrown;
        return await (keys as JWTVerifyGetKey)(header, token);
      }
    };
  };
}

/** @throws Error for what is no set of keys, or one of too many */
function keySet(value: unknown): JWTVerifyGetKey {
  const list = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(list)) throw new Error('it is no set of keys (RFC 7517)');
  if (list.length > limits.jwks_keys.value) {
    throw new Error(`it has more than ${limits.jwks_keys.value} keys`);
  }
  return createLocalJWKSet(value as JSONWebKeySet);
}
