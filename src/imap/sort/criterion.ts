/** What SORT sorts by (RFC 5256 §3). */

export type SortKey = 'ARRIVAL' | 'CC' | 'DATE' | 'FROM' | 'SIZE' | 'SUBJECT' | 'TO';

/** A key; `reverse` turns the order of this key alone, never that of equal messages. */
export interface SortCriterion {
  readonly key: SortKey;
  readonly reverse: boolean;
}
