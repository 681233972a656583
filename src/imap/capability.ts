/** What we announce, by state of the connection. A name stands here only if the whole of it is there. */

/** What decides over the list. */
export interface CapabilityState {
  readonly authenticated: boolean;
  /** STARTTLS would succeed now. */
  readonly canStartTls: boolean;
  /** Names of SASL mechanisms offered on this connection as it is now; empty where only LOGINDISABLED is left. */
  readonly mechanisms: readonly string[];
  /** The LOGIN command would be refused whatever the password. */
  readonly loginDisabled: boolean;
  /** Greatest message APPEND takes, in bytes; 0 is no limit (RFC 7889 §2). */
  readonly appendLimit: number;
}

/** Announced in every state: clients decide by these before they log in (RFC 7888 §5, RFC 4959, RFC 5161). */
const ALWAYS = 'IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE';

/**
 * Announced after login. Most are part of the IMAP4rev2 base and named for those who speak IMAP4rev1
 * (RFC 9051 Appendix A). RIGHTS= names the rights of RFC 4314 that RFC 2086 did not know.
 */
const AUTHENTICATED = [
  'ACL',
  'RIGHTS=kxte',
  'QUOTA',
  'QUOTA=RES-STORAGE',
  'QUOTA=RES-MESSAGE',
  'QUOTASET',
  'NAMESPACE',
  'UIDPLUS',
  'MULTIAPPEND',
  'UNSELECT',
  'CHILDREN',
  'IDLE',
  'MOVE',
  'CONDSTORE',
  'ESEARCH',
  'SEARCHRES',
  'SORT',
  'THREAD=ORDEREDSUBJECT',
  'THREAD=REFERENCES',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'STATUS=SIZE',
].join(' ');

/** The capability list without the word CAPABILITY (RFC 9051 §7.2.2). */
export function capabilityList(state: CapabilityState): string {
  let list = ALWAYS;
  if (state.authenticated) {
    list += ` ${AUTHENTICATED} SASL-IR`;
    return `${list} APPENDLIMIT${state.appendLimit > 0 ? `=${state.appendLimit}` : ''}`;
  }
  if (state.canStartTls) list += ' STARTTLS';
  // RFC 9051 §6.2.3: announced wherever the LOGIN command would be refused.
  if (state.loginDisabled) list += ' LOGINDISABLED';
  for (const mechanism of state.mechanisms) list += ` AUTH=${mechanism}`;
  return `${list} SASL-IR`;
}
