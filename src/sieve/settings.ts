/** What an administrator says about extensions; scripts cannot change it. The same object serves compiling and running. */

/** Which fields editheader must leave alone, and how large a new one may be (RFC 5293 §6). */
export interface EditheaderSettings {
  /** Names in lower case. */
  readonly forbidAdd: ReadonlySet<string>;
  /** Besides Received and Auto-Submitted, which nobody may delete. */
  readonly forbidDelete: ReadonlySet<string>;
  /** Octets of a name and its value. */
  readonly maxSize: number;
}

export interface Settings {
  readonly editheader: EditheaderSettings;
}

export const DEFAULT_SETTINGS: Settings = {
  editheader: { forbidAdd: new Set(), forbidDelete: new Set(), maxSize: 2048 },
};
