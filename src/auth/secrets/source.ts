/** Where passwords are checked and secrets come from: the store's own database, directories, daemons. */

/** What SCRAM keeps of a password (RFC 5802 §3, §9); base64. */
export interface ScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export type ScramHash = 'sha256' | 'sha1';

/** What a source knows of a user; either can be missing. */
export interface UserSecret {
  /** The password itself. */
  readonly plain?: string;
  readonly scram?: Readonly<Partial<Record<ScramHash, ScramKeys>>>;
}

/** What a source can be asked for. */
export interface SourceAbilities {
  /** `secret` gives passwords as they are: CRAM-MD5, DIGEST-MD5, APOP. */
  readonly plain: boolean;
  /** `secret` gives the keys of SCRAM, or passwords they can be made of. */
  readonly scram: 'stored' | 'derived' | false;
}

/** On whose behalf a password is checked, for sources that want to know: PAM, saslauthd. */
export interface Asking {
  /** As in the log: `imap`. */
  readonly protocol: string;
  /** The peer, '' on a unix socket. */
  readonly remoteAddress: string;
}

/** A way to check a password, and perhaps to learn a secret. */
export interface SecretSource {
  readonly abilities: SourceAbilities;
  /**
   * Whether `password` is the password of `userid`. Takes the same way, at the same cost, whether or not there is
   * such a user.
   * @param userid canonical, or null where the client's name cannot be anybody's
   * @throws MailError 'unavailable' or 'corruption' where it cannot be told, never as an answer
   */
  verify(userid: string | null, password: string, asking?: Asking): Promise<boolean>;
  /**
   * What challenge and response need; null where there is no such user. The same cost either way, as for `verify`.
   * @throws MailError as `verify`
   */
  secret(userid: string | null): Promise<UserSecret | null>;
}
