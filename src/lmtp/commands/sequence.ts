/** The refusals of commands that come out of order (RFC 5321 §4.1.4); as `clientbug` they become 503 5.5.1. */

import { syntaxError } from '../../errors.ts';

export const SAY_LHLO = syntaxError('Say LHLO first', 'clientbug');
export const SAY_MAIL = syntaxError('Say MAIL first', 'clientbug');
/** RFC 2033 §4.2 */
export const NO_RECIPIENTS = syntaxError('No recipient was accepted', 'clientbug');
/** RFC 3030 §2 */
export const DATA_AFTER_BDAT = syntaxError('The message has begun with BDAT', 'clientbug');
/** RFC 3030 §3 */
export const BINARY_NEEDS_BDAT = syntaxError('BODY=BINARYMIME needs BDAT', 'clientbug');
