/** Notifyd as a worker plugs it in, with the way out for mail that this configuration names. */

import type { Settings } from '../config/settings.ts';
import type { Protocol } from '../net/service.ts';
import { configuredMailer } from '../outgoing/configured.ts';
import type { Log } from '../telemetry/log.ts';
import { createNotifyd } from './protocol.ts';

/** The notifications of a process. */
export function createNotifydService(
  { settings, log }: { readonly settings: Settings; readonly log: Log },
): Protocol {
  return createNotifyd({ settings, log, mailer: configuredMailer(settings) });
}
