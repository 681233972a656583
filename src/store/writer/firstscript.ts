/** The script a new user begins with (`autocreate_sieve_script`). */

import { readFileSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import type { OwnerIndex } from '../index/owner.ts';
import { countScripts } from '../index/scripts.ts';
import type { Context } from './context.ts';

/** Under this name it stands, as in Cyrus. */
const NAME = 'default';

/** Its bytes; null where the configuration names none, or one that cannot be had: users are made all the same. */
export function readFirstScript({ autocreate_sieve_script: path }: Settings, log: Log): Uint8Array | null {
  if (path === '') return null;
  try {
    const script = readFileSync(path);
    if (script.length <= limits.store_script_size.value) return script;
    log.error('autocreate_sieve_script is not taken', { path, size: script.length });
  } catch (error) {
    log.error('autocreate_sieve_script cannot be read', {
      path,
      error: error instanceof Error ? error : undefined,
    });
  }
  return null;
}

/** Gives it to a user who has no script yet, and makes it the active one. */
export function emitFirstScript(context: Context, index: OwnerIndex): void {
  const { firstScript } = context.state;
  if (firstScript === null || countScripts(index) > 0) return;
  const hash = new Bun.CryptoHasher('sha256').update(firstScript).digest('hex');
  const content = context.blob(firstScript);
  context.emit(index, { k: 'script', name: NAME, content, hash, at: context.now, active: true });
  context.emitDirectory({ k: 'script', o: index.id, hash });
}
