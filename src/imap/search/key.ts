/**
 * The SEARCH key as a tree (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 7162 §3.1.5, RFC 8514 §4.3): what the parser makes
 * and `evaluate.ts` compiles. Strings are decoded Unicode, whatever CHARSET the client used.
 */

import type { SequenceSet } from '../sequence.ts';

export type SearchKey =
  | { readonly key: 'all' }
  | { readonly key: 'and'; readonly keys: readonly SearchKey[] }
  | { readonly key: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly key: 'not'; readonly of: SearchKey }
  | { readonly key: 'seq'; readonly set: SequenceSet }
  | { readonly key: 'uid'; readonly set: SequenceSet }
  /** A system flag (`\Seen`) or a keyword, as given; the comparison disregards case. */
  | { readonly key: 'flag'; readonly flag: string; readonly on: boolean }
  /** RECENT and OLD; NEW is `and` of RECENT and UNSEEN (RFC 3501 §6.4.4). */
  | { readonly key: 'recent'; readonly on: boolean }
  | { readonly key: 'date'; readonly field: DateField; readonly compare: DateCompare; readonly day: number }
  | { readonly key: 'size'; readonly compare: 'larger' | 'smaller'; readonly bytes: number }
  /** FROM, TO, CC, BCC, SUBJECT: what ENVELOPE has of the field. `field` is lower case. */
  | { readonly key: 'envelope'; readonly field: string; readonly text: string }
  /** HEADER: the field as it stands in the header. `field` is lower case. */
  | { readonly key: 'header'; readonly field: string; readonly text: string }
  | { readonly key: 'body'; readonly text: string }
  | { readonly key: 'text'; readonly text: string }
  /** Messages whose modseq is at least this one (RFC 7162 §3.1.5). */
  | { readonly key: 'modseq'; readonly modseq: number };

/** INTERNALDATE, the Date header field, or the date of saving (RFC 8514). */
export type DateField = 'internal' | 'sent' | 'saved';

/** `day` counts days since 1970-01-01; time and zone are disregarded. */
export type DateCompare = 'before' | 'on' | 'since';
