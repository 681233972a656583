/** Who the layer below a connection says the client is: by its certificate, or as the peer of a unix socket. */

import { parseCertificateRule, parsePeerRule, readRules } from '../config/externalrules.ts';
import type { Settings } from '../config/settings.ts';
import type { Connection } from '../net/connection.ts';
import { userOf } from '../net/libc.ts';
import { certificateUser } from './certificate.ts';

export type ExternalSettings = Pick<Settings, 'external_certificates' | 'external_peers'>;

export class ExternalUsers {
  readonly #certificates;
  readonly #peers: ReadonlyMap<string, string>;
  readonly #accountOf: (uid: number) => string | undefined;

  /** @param accountOf the name of a user of the system, for tests */
  constructor(settings: ExternalSettings, accountOf: (uid: number) => string | undefined = userOf) {
    this.#certificates = readRules(settings.external_certificates, parseCertificateRule);
    this.#peers = new Map(
      readRules(settings.external_peers, parsePeerRule).map(({ account, user }) => [account, user]),
    );
    this.#accountOf = accountOf;
  }

  /** A login name, or null where no rule says who it is. */
  of(connection: Pick<Connection, 'tls' | 'peer'>): string | null {
    const certificate = this.#certificates.length === 0 ? undefined : connection.tls?.certificate;
    if (certificate !== undefined) return certificateUser(certificate, this.#certificates);
    const uid = this.#peers.size === 0 ? undefined : connection.peer?.uid;
    const account = uid === undefined ? undefined : this.#accountOf(uid);
    return account === undefined ? null : this.#peers.get(account) ?? null;
  }
}
