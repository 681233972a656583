/**
 * The external lists of this configuration (RFC 6134): a file each, a key per line. One per process. A file is looked at once per
 * run of a script that asks, and read again when it has changed.
 */

import { readFileSync, statSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import { outboundAddress } from '../sieve/address.ts';
import { listName } from '../sieve/listname.ts';
import { toOctets } from '../sieve/octets.ts';
import { ScriptError } from '../sieve/run.ts';
import type { Log } from '../telemetry/log.ts';

/** Keys as they stand there, by what they are in lower case. */
type Keys = ReadonlyMap<string, string>;

const EMPTY: Keys = new Map();

interface Held {
  readonly keys: Keys;
  /** What the file was when it was read. */
  readonly version: string;
}

export class ExternalLists {
  readonly #files: ReadonlyMap<string, string>;
  readonly #most: number;
  readonly #log: Log;
  readonly #held = new Map<string, Held>();
  /** The moments of the runs for which the files were looked at last. */
  readonly #looked = new Map<string, number>();

  constructor(settings: Pick<Settings, 'sieve_lists' | 'sieve_max_redirects'>, log: Log) {
    this.#files = new Map(Object.entries(settings.sieve_lists).map(([name, file]) => [listName(name), file]));
    this.#most = settings.sieve_max_redirects;
    this.#log = log;
  }

  /**
   * What stands on a list and is the same as a value but for case, or null.
   * @param now moment of the run that asks
   * @throws ScriptError where the list cannot be had: the message is kept
   */
  find(list: string, value: string, now: number): string | null {
    return this.#keys(list, now).get(value.toLowerCase()) ?? null;
  }

  /** The addresses on a list, as far as a script may forward to them, and one more. Throws as `find` does. */
  addresses(list: string, now: number): readonly string[] {
    const found: string[] = [];
    for (const key of this.#keys(list, now).values()) {
      if (outboundAddress(toOctets(key)) === null) continue;
      found.push(key);
      if (found.length > this.#most) break;
    }
    return found;
  }

  #keys(list: string, now: number): Keys {
    const held = this.#held.get(list);
    if (held !== undefined && this.#looked.get(list) === now) return held.keys;
    const file = this.#files.get(list);
    // The one list that every script may name (`DEFAULT_LIST`): there are no address books here but those of the configuration.
    if (file === undefined) return EMPTY;
    try {
      const version = versionOf(file);
      const current = held?.version === version ? held : { keys: readList(file), version };
      this.#held.set(list, current);
      this.#looked.set(list, now);
      return current.keys;
    } catch (thrown) {
      this.#log.warn('list cannot be read', { list, file, error: asMailError(thrown) });
      if (held === undefined) throw new ScriptError(`the list "${list}" cannot be read now`);
      this.#looked.set(list, now);
      return held.keys;
    }
  }
}

/** Changes when the file is another one or has been written to. */
function versionOf(file: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

/** The keys in a file, in order. @throws Error where it cannot be read or is longer than `limits.delivery_list` */
export function readList(file: string): Keys {
  const { size } = statSync(file);
  const most = limits.delivery_list.value;
  if (size > most) throw new Error(`${file} has ${size} bytes, more than ${most}`);
  const keys = new Map<string, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const key = /^[^\s#]\S*/.exec(line)?.[0];
    if (key !== undefined) keys.set(key.toLowerCase(), key);
  }
  return keys;
}
