/** Where notifications go: here, since whoever asks it needs no table of options for it. */

import type { Settings } from './settings.ts';

/** Where notifications are handed over (`notifysocket`). */
export function notifySocket(
  { notifysocket, configdirectory }: Pick<Settings, 'notifysocket' | 'configdirectory'>,
): string {
  return notifysocket === '' ? `${configdirectory}/socket/notify` : notifysocket;
}
