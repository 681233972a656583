/** Marks in an owner's index, as the writer changes them. */
import type { MarksEvent } from '../log/events.ts';
import type { OwnerIndex } from './owner.ts';

/** Applies the event inside the open transaction: first what goes, then what is set. */
export function applyMarks(index: OwnerIndex, { set, drop }: MarksEvent): void {
  for (const [kind, key] of drop) index.remove('mark', 'kind = ? AND key = ?', kind, key);
  for (const [kind, key, until] of set) {
    index.remove('mark', 'kind = ? AND key = ?', kind, key);
    index.insert('mark', [kind, key, until]);
  }
}
