/** Where passwords are checked: the store's own secrets now, directories and daemons later. */

/** A way to check a password. */
export interface SecretSource {
  /**
   * Whether `password` is the password of `userid`. Takes the same way, at the same cost, whether or not there is
   * such a user.
   * @param userid canonical, or null where the client's name cannot be anybody's
   * @throws MailError 'unavailable' or 'corruption' where it cannot be told, never as an answer
   */
  verify(userid: string | null, password: string): Promise<boolean>;
}
