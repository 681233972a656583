/** What tests see of a message. All text is octets (`octets.ts`); field names are given in lower case. */
import type { Values } from './match/values.ts';

/** The parts of an address that tests compare (RFC 5228 §2.7.4, RFC 5233 §4). */
export type AddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail';

/** The header of a message or of one of its parts, as edited so far (RFC 5293). */
export interface HeaderView {
  /** The values of all fields of a name in order: unfolded, decoded to UTF-8 (RFC 5228 §2.7.2), without blanks at both ends. */
  header(name: string): Values;
  /** The same as they stand in the message: unfolded, but not decoded. */
  rawHeader(name: string): readonly string[];
  /**
   * One part of every address in the fields of a name. What has no such part (a localpart without a detail, RFC 5233 §4; an
   * entry that is no address) is left out.
   */
  addresses(name: string, part: AddressPart): Values;
}

/** A message while a script runs over it. */
export interface Message extends HeaderView {
  /** RFC 5228 §5.9: its size in octets, as it came. */
  readonly size: number;
}
