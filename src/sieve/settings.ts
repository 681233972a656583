/** What an administrator says about extensions; scripts cannot change it. The same object serves compiling and running. */

import { limits } from '../limits.ts';
import type { ProgramKind } from './host.ts';
import type { ScoreSource } from './score.ts';

/** Which fields editheader must leave alone, and how large a new one may be (RFC 5293 §6). */
export interface EditheaderSettings {
  /** Names in lower case. */
  readonly forbidAdd: ReadonlySet<string>;
  /** Besides Received and Auto-Submitted, which nobody may delete. */
  readonly forbidDelete: ReadonlySet<string>;
  /** Octets of a name and its value. */
  readonly maxSize: number;
}

/** RFC 5435 */
export interface NotifySettings {
  /** Schemes besides mailto, in lower case, that the host knows. */
  readonly schemes: ReadonlySet<string>;
  /** Notifications of one run; 0 is none at all. */
  readonly most: number;
}

export interface Settings {
  /** Whether mail can go to addresses with characters beyond ASCII (RFC 6531). */
  readonly utf8Addresses: boolean;
  readonly notify: NotifySettings;
  readonly editheader: EditheaderSettings;
  /** What a scanner for spam, or for viruses, writes into messages; null where there is none (RFC 5235). */
  readonly spamtest: ScoreSource | null;
  readonly virustest: ScoreSource | null;
  /** Names of the lists there are, as `listName` makes them (RFC 6134). */
  readonly lists: ReadonlySet<string>;
  /** Scripts are kept as files, so that a name with a slash would be a path: none can be included (RFC 6609 §4). */
  readonly scriptsAreFiles: boolean;
  /** Kinds of external programs that there is a folder for. */
  readonly programs: ReadonlySet<ProgramKind>;
  /** Scripts run because of what users do over IMAP, and not at a delivery (RFC 6785). */
  readonly imapEvents: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  utf8Addresses: true,
  notify: { schemes: new Set(), most: limits.sieve_notifications.value },
  editheader: { forbidAdd: new Set(), forbidDelete: new Set(), maxSize: 2048 },
  spamtest: null,
  virustest: null,
  lists: new Set(),
  scriptsAreFiles: false,
  programs: new Set(),
  imapEvents: false,
};
