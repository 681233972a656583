/** What a protocol is called outside: in PAM's service files, to saslauthd, in `digest-uri`. */

/** Protocols of ours that have another name there; the others have their own: imap, lmtp, sieve, smtp. */
const NAMES: Readonly<Record<string, string>> = { pop3: 'pop' };

/** The registered name of the service (GSSAPI's), under which Debian's Cyrus package has its files in /etc/pam.d. */
export function serviceName(protocol: string): string {
  return NAMES[protocol] ?? protocol;
}
