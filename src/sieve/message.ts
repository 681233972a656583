/** What tests see of a message. All text is octets (`octets.ts`); field names are given in lower case. */
import type { Values } from './match/values.ts';
import type { Content } from './result.ts';
import type { Slices } from './slices.ts';

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

/** What a part says it is. In lower case; '' for a Content-Type that is none. */
export interface PartType {
  readonly type: string;
  readonly subtype: string;
  readonly charset: string | null;
}

/** One part of the MIME tree (RFC 5703 §3): the message itself, a part of a multipart, a message that is attached. */
export interface MessagePart extends HeaderView {
  readonly parent: MessagePart | null;
  readonly children: readonly MessagePart[];
  readonly type: PartType;
  /** Something else stands in its place since `replace`. */
  readonly replaced: boolean;
  /** Its text as a reader sees it, in octets of UTF-8; null if it is no text. */
  text(): Slices<string | null>;
  /** A MIME entity, header and content, takes its place (RFC 5703 §5). The root is replaced by `Message.replaceAll`. */
  replace(entity: Uint8Array): void;
}

/** A header that is being changed (RFC 5293). */
export interface HeaderEdits extends HeaderView {
  /** Adds a field at the top or, with `last`, at the end. `value` is octets; line breaks in it become a space. */
  add(name: string, value: string, last: boolean): void;
  /** Deletes the fields of a name that `goes` chooses by their number from 0 among those of the name. */
  delete(name: string, goes: (index: number) => boolean): void;
}

/** Fields that change when a message is replaced as a whole (RFC 5703 §5). Unicode; null leaves what there is. */
export interface NewFields {
  readonly subject: string | null;
  readonly from: string | null;
}

/** A message while a script runs over it. What was changed is what tests and later actions see. */
/** What a message is enclosed in. All text is Unicode. */
export interface Wrapping {
  /** Null: that of the enclosed message. */
  readonly subject: string | null;
  /** Names, in lower case, of fields that are copied. */
  readonly names: readonly string[];
  /** Who encloses it and when, where these fields are not copied. */
  readonly from: string;
  readonly date: Date;
  readonly text: string;
}

export interface Message extends HeaderView {
  /** RFC 5228 §5.9: its size in octets, with what was changed. */
  readonly size: number;
  /** The tree of its parts. */
  readonly root: MessagePart;
  /** The body, not decoded (RFC 5173 §5.1). None if the message ends with its header (§4). Octets, as the next two. */
  rawBody(): readonly string[];
  /** What parts of some types hold, in UTF-8 (§5.2). */
  contentBody(types: readonly string[]): Slices<readonly string[]>;
  /** The text of all parts that are text, HTML without its mark-up (§5.3). */
  textBody(): Slices<readonly string[]>;
  /** The header, to be changed. */
  editHeader(): HeaderEdits;
  /** Puts a MIME entity in the place of all content. A Subject and From that change stay as Original-Subject and Original-From. */
  replaceAll(entity: Uint8Array, fields: NewFields): void;
  /** Whether a field of this name (in lower case) was put there by `replaceAll`, for good (RFC 5703 §5). */
  isPreserved(name: string): boolean;
  /** Makes it an attachment of a new message (RFC 5703 §6). */
  enclose(wrapping: Wrapping): void;
  /** Other bytes take the place of all of it. */
  become(bytes: Uint8Array): void;
  /** Its bytes with all changes, in pieces that later changes leave alone; null as long as nothing was changed. */
  content(): Content;
  /** The same without enclosing, which leaves alone what is redirected (RFC 5703 §6). */
  forwarded(): Content;
  /** The same in one piece. */
  bytes(): Uint8Array;
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
  /** What the sender asked of reports about this recipient; missing where nothing was asked. */
  readonly dsn?: EnvelopeDsn;
  /** Until when the sender wants it delivered; missing where nothing was said. */
  readonly deliverBy?: EnvelopeDeliverBy;
}

/** RFC 3461 §4, decoded; octets. */
export interface EnvelopeDsn {
  /** `NEVER`, or some of `SUCCESS`, `FAILURE`, `DELAY`; empty where the sender left it open. */
  readonly notify: readonly string[];
  /** Type and address, `rfc822;user@example.org`. */
  readonly orcpt: string | null;
  /** `FULL` or `HDRS`. */
  readonly ret: string | null;
  readonly envid: string | null;
}

/** RFC 2852 §4 */
export interface EnvelopeDeliverBy {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly mode: 'return' | 'notify';
  readonly trace: boolean;
}
