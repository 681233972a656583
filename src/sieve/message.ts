/** What tests see of a message. All text is octets (`octets.ts`); field names are given in lower case. */
import type { Values } from './match/values.ts';

/** The parts of an address that tests compare (RFC 5228 §2.7.4, RFC 5233 §4). */
export type AddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail';

/** The fields of one name in a header, in order. What is asked once is kept. */
export interface Fields {
  /** Their values: unfolded, decoded to UTF-8 (RFC 5228 §2.7.2), without blanks at both ends. */
  readonly values: Values;
  /** The same as they stand in the message: unfolded, but not decoded. */
  readonly raw: readonly string[];
  /**
   * One part of every address in them. What has no such part (a localpart without a detail, RFC 5233 §4; an entry that is no
   * address) is left out.
   */
  addresses(part: AddressPart): Values;
  /** The field with a number from 1, counted from the last with `last` (RFC 5260 §6); no field where there is none. */
  only(index: number, last: boolean): Fields;
}

/** The header of a message or of one of its parts, as edited so far (RFC 5293). */
export interface HeaderView {
  fields(name: string): Fields;
}

/** A message while a script runs over it. */
export interface Message extends HeaderView {
  /** RFC 5228 §5.9: its size in octets, as it came. */
  readonly size: number;
}

/** An envelope of RFC 5228 §5.4. Addresses are octets without brackets; null is one that is not known. */
export interface Envelope {
  /** MAIL FROM; '' is the null reverse-path. */
  readonly from: string;
  /** RCPT TO, after whatever rewriting: the recipient whose script runs. */
  readonly to: string;
  /** The recipient as the sender named it: ORCPT of DSN (RFC 3461), else `to`. */
  readonly originalTo: string | null;
  /** AUTH= of MAIL FROM, or who submitted the message. */
  readonly auth: string | null;
}
