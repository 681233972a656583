/** The one place where an error becomes an LMTP reply; nobody else writes 4xx or 5xx for what the store throws. */

import { asMailError, type ErrorCode } from '../errors.ts';
import { type Reply, reply } from './write.ts';

/** What the mapping needs of the settings. */
export interface FailureSettings {
  readonly lmtp_overquota_perm_failure: boolean;
}

/** Code, status and the public text by error code; texts of server errors speak of our insides and go to the log. */
const REPLIES: Readonly<Record<ErrorCode, readonly [code: number, status: string, text: string]>> = {
  nouser: [550, '5.1.1', 'User unknown'],
  nonexistent: [550, '5.1.1', 'Mailbox unknown'],
  alreadyexists: [451, '4.3.0', 'Temporary failure, try again later'],
  noperm: [550, '5.7.1', 'You may not post to this mailbox'],
  cannot: [550, '5.1.3', 'No mailbox can have this address'],
  haschildren: [451, '4.3.0', 'Temporary failure, try again later'],
  inuse: [450, '4.2.1', 'Mailbox is busy, try again later'],
  overquota: [452, '4.2.2', 'Over quota'],
  toobig: [552, '5.3.4', 'Message size exceeds the limit'],
  limit: [452, '4.3.1', 'A limit was met, try again later'],
  readonly: [450, '4.2.1', 'Mailbox takes no mail at the moment'],
  useattr: [451, '4.3.0', 'Temporary failure, try again later'],
  authenticationfailed: [535, '5.7.8', 'Authentication credentials invalid'],
  authorizationfailed: [535, '5.7.8', 'Not authorized to act for this user'],
  privacyrequired: [538, '5.7.11', 'Encryption required for this authentication mechanism'],
  expired: [535, '5.7.8', 'Credentials have expired'],
  badsyntax: [501, '5.5.4', 'Syntax error'],
  badcharset: [501, '5.5.4', 'Syntax error'],
  badevent: [501, '5.5.4', 'Syntax error'],
  clientbug: [503, '5.5.1', 'Bad sequence of commands'],
  unavailable: [451, '4.3.0', 'Temporary failure, try again later'],
  config: [451, '4.3.5', 'The server is not configured for this, try again later'],
  corruption: [451, '4.3.0', 'Mailbox is damaged, the administrator has been told; try again later'],
  serverbug: [451, '4.3.0', 'Temporary failure, try again later'],
};

/**
 * The reply for what a command or a delivery threw. Everything that is not known to be permanent is temporary: the
 * sender keeps the message. An exceeded quota is 452, or 552 with `lmtp_overquota_perm_failure`.
 */
export function failureReply(thrown: unknown, settings: FailureSettings): Reply {
  const error = asMailError(thrown);
  if (error.code === 'overquota' && settings.lmtp_overquota_perm_failure) {
    return reply(552, '5.2.2', 'Over quota');
  }
  const [code, status, text] = REPLIES[error.code];
  return reply(code, status, error.kind === 'syntax' ? error.message : text);
}
