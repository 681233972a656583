/** One run of a script: what everything that comes of it must know. */

import type { Settings } from '../config/settings.ts';
import type { Stamp } from '../outgoing/forms/draft.ts';
import type { Original } from '../outgoing/forms/original.ts';
import type { Message } from '../sieve/message.ts';
import type { StagedMessage, Store } from '../store/border.ts';
import type { Namespace } from '../store/names.ts';
import type { Log } from '../telemetry/log.ts';
import type { Arrival, ArrivingRecipient } from './arrival.ts';
import type { ExternalLists } from './externallists.ts';
import type { ExternalPrograms } from './externalprograms.ts';
import type { Notifications } from './notifications.ts';
import type { ScriptOwner } from './owner.ts';

export interface Occasion {
  readonly settings: Settings;
  readonly store: Store;
  readonly log: Log;
  readonly programs: ExternalPrograms;
  readonly lists: ExternalLists;
  /** What scripts have notified of lately. */
  readonly notifications: Notifications;
  readonly arrival: Arrival;
  /** Forwards that scripts of this message's recipients decided: somebody who has it by two addresses forwards it once. */
  readonly forwarded: Set<string>;
  readonly recipient: ArrivingRecipient;
  readonly owner: ScriptOwner;
  /** How the owner writes the names of mailboxes. */
  readonly namespace: Namespace;
  readonly staged: StagedMessage;
  /** The message as it came. */
  readonly bytes: Uint8Array;
  /** The message as the script sees it. */
  readonly message: Message;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What messages that come of this are stamped with; a new id each time. */
  stamp(): Stamp;
  /** The message as it came, for answers and reports. */
  readonly original: Original;
}

/** What is left of it when everything is decided: nothing that is as large as the message. */
export type Aftermath = Omit<Occasion, 'message' | 'bytes'>;
