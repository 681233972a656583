/** GETQUOTA and SETQUOTA (RFC 9208 §4.1). Quota roots are written as mailbox names are. */

import type { GetQuotaCommand, SetQuotaCommand } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `getquota = "GETQUOTA" SP quota-root-name` */
export function parseGetQuota(lexer: Lexer): GetQuotaCommand {
  lexer.space();
  return { name: 'GETQUOTA', root: lexer.mailbox('a quota root') };
}

/** `setquota = "SETQUOTA" SP quota-root-name SP "(" [resource SP limit *(SP resource SP limit)] ")"` */
export function parseSetQuota(lexer: Lexer): SetQuotaCommand {
  lexer.space();
  const root = lexer.mailbox('a quota root');
  lexer.space();
  const limits = lexer.list('resource limits', () => {
    const resource = lexer.word('the name of a resource');
    lexer.space();
    return { resource, limit: lexer.number64('the limit') };
  });
  return { name: 'SETQUOTA', root, limits };
}
