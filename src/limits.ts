/**
 * Every bound of mailstore in one table, each with its unit, its reason and what happens beyond it; the rows stand in one
 * file per room. Code reads `limits.<row>.value`; tests iterate over the rows, so a new bound cannot ship untested.
 */

import { authLimits } from './limits/auth.ts';
import { configLimits } from './limits/config.ts';
import { deliveryLimits } from './limits/delivery.ts';
import { imapLimits } from './limits/imap.ts';
import { lmtpLimits } from './limits/lmtp.ts';
import { managesieveLimits } from './limits/managesieve.ts';
import { mimeLimits } from './limits/mime.ts';
import { netLimits } from './limits/net.ts';
import { outgoingLimits } from './limits/outgoing.ts';
import { notifydLimits } from './limits/notifyd.ts';
import { pop3Limits } from './limits/pop3.ts';
import { sieveLimits } from './limits/sieve.ts';
import { smmapLimits } from './limits/smmap.ts';
import { storeLimits } from './limits/store.ts';

export type { Limit } from './limits/limit.ts';

/** All bounds. Units are bytes, seconds or plain counts; never KB or minutes. */
export const limits = Object.freeze({
  ...mimeLimits,
  ...deliveryLimits,
  ...imapLimits,
  ...storeLimits,
  ...configLimits,
  ...authLimits,
  ...lmtpLimits,
  ...pop3Limits,
  ...sieveLimits,
  ...managesieveLimits,
  ...smmapLimits,
  ...notifydLimits,
  ...netLimits,
  ...outgoingLimits,
});

/** The name of a row. */
export type LimitName = keyof typeof limits;
