/** The proxied authorization control (RFC 4370): the operation is done with the rights of somebody else. */

import { type BerWriter, Control } from 'ldapts';

export class ProxiedAuthorization extends Control {
  readonly #authzid: string;

  /** @param authzid `u:` and a user, or `dn:` and a DN (RFC 4513 §5.2.1.8) */
  constructor(authzid: string) {
    // §3: it must be critical, or a server that does not know it would answer with the rights of whoever asks.
    super('2.16.840.1.113730.3.4.18', { critical: true });
    this.#authzid = authzid;
  }

  /** The value is the bare authorization identity (§3), not a sequence. */
  override writeControl(writer: BerWriter): void {
    writer.writeString(this.#authzid);
  }
}
