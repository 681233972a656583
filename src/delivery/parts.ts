/** What deliveries stand on. */

import type { Settings } from '../config/settings.ts';
import type { Mailer } from '../outgoing/envelope.ts';
import type { Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';

export interface DelivererParts {
  readonly settings: Settings;
  readonly store: Store;
  readonly mailer: Mailer;
  readonly log: Log;
}
