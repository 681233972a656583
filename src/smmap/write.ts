/** Answers of a socketmap, in the words Cyrus's smmapd has for them. */

import { asMailError, type ErrorCode } from '../errors.ts';
import { netstring } from './parse/netstring.ts';

/** The recipient may have mail. @param key as it was asked */
export function found(key: string): string {
  return netstring(`OK ${key}`);
}

/** Nothing can be read from this peer any more. */
export function malformed(text: string): string {
  return netstring(`PERM protocol error (${text})`);
}

export const TIMEOUT = netstring('TIMEOUT the mail store does not answer');

/** The recipient is nobody's; the rest is for the sender to try again, but where mail can never be had. */
const WORDS: Partial<Readonly<Record<ErrorCode, readonly [word: string, text: string]>>> = {
  nouser: ['NOTFOUND', 'Mailbox does not exist'],
  nonexistent: ['NOTFOUND', 'Mailbox does not exist'],
  cannot: ['NOTFOUND', 'Mailbox does not exist'],
  noperm: ['PERM', 'Permission denied'],
};

/**
 * Why a recipient may have no mail. An exceeded quota is temporary, or permanent with `lmtp_overquota_perm_failure`;
 * everything that is not known to be permanent is temporary.
 */
export function refused(thrown: unknown, overquotaForGood: boolean): string {
  const { code } = asMailError(thrown);
  const [word, text] = code === 'overquota'
    ? [overquotaForGood ? 'PERM' : 'TEMP', 'Over quota']
    : WORDS[code] ?? ['TEMP', 'Temporary failure, try again later'];
  return netstring(`${word} ${text}`);
}
