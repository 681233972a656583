/** Sieve scripts in an owner's index, as the writer changes them. Scripts are small and few: a change writes the row anew. */
import { serverError } from '../../errors.ts';
import type { ScriptEvent } from '../log/events.ts';
import type { OwnerIndex } from './owner.ts';
import type { SqlValue } from './statements.ts';

/** A script with its content. `changed` is unix time. */
export interface ScriptRow {
  name: string;
  content: Uint8Array;
  /** SHA-256 of the content, hex. */
  hash: string;
  changed: number;
  active: boolean;
}

/** A script from its columns in order (tables.ts). */
export function scriptFromValues(values: readonly SqlValue[]): ScriptRow {
  const [name, content, hash, changed, active] = values as [string, Uint8Array, string, number, number];
  return { name, content, hash, changed, active: active === 1 };
}

/** The script of this name, or null. */
export function findScript(index: OwnerIndex, name: string): ScriptRow | null {
  const [row] = index.intact('script', 'WHERE name = ?', name);
  return row === undefined ? null : scriptFromValues(row);
}

/** The hash of the active script, or null. */
export function activeScript(index: OwnerIndex): string | null {
  const [row] = index.intact('script', 'WHERE active = 1');
  return row === undefined ? null : scriptFromValues(row).hash;
}

/** How many scripts there are. */
export function countScripts(index: OwnerIndex): number {
  return index.sql('SELECT count(*) FROM script').values()[0]?.[0] as number;
}

/** Applies one event inside the open transaction. `blobs` are those of its record. */
export function applyScript(index: OwnerIndex, event: ScriptEvent, blobs: readonly Uint8Array[]): void {
  switch (event.k) {
    case 'script': {
      const content = blobs[event.content];
      if (content === undefined) throw serverError(`${index.path}: a log record lacks its script`);
      const { name, hash, at, active } = event;
      put(index, name, { name, content, hash, changed: at, active });
      return;
    }
    case 'scriptgone':
      index.remove('script', 'name = ?', event.name);
      return;
    case 'scriptname': {
      const row = findScript(index, event.name);
      if (row !== null) put(index, event.name, { ...row, name: event.to });
      return;
    }
    case 'scriptactive': {
      const [before] = index.intact('script', 'WHERE active = 1');
      if (before !== undefined) {
        const row = scriptFromValues(before);
        put(index, row.name, { ...row, active: false });
      }
      const row = event.name === null ? null : findScript(index, event.name);
      if (row !== null) put(index, row.name, { ...row, active: true });
    }
  }
}

/** Puts a row in the place of the one called `before`, if there is one. */
function put(index: OwnerIndex, before: string, row: ScriptRow): void {
  const { name, content, hash, changed, active } = row;
  index.remove('script', 'name = ?', before);
  index.insert('script', [name, content, hash, changed, active ? 1 : 0]);
}
