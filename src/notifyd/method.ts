/** What a way to notify somebody is. */

import type { Settings } from '../config/settings.ts';
import type { Mailer } from '../outgoing/envelope.ts';
import type { Notification } from '../outgoing/notify/datagram.ts';
import type { Log } from '../telemetry/log.ts';

/** What all methods of a process share. */
export interface MethodParts {
  readonly settings: Settings;
  /** The way out for mail. */
  readonly mailer: Mailer;
  readonly log: Log;
}

export interface Method {
  /** As programs name it, lower case. */
  readonly name: string;
  /** Why it cannot be used with these settings; null when it can. */
  unusable(settings: Settings): string | null;
  /** Tells somebody. @throws what went wrong, for the log */
  notify(notification: Notification, parts: MethodParts): Promise<void> | void;
}
