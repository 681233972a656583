/** Messages between a worker or tool and the writer, each one frame (log/frame.ts). */
import { asMailError, type ErrorCode, type ErrorKind, MailError } from '../../errors.ts';
import type { Change } from './requests.ts';
import type { Mending } from './mend.ts';
import type { OwnerNews } from './publish.ts';

export interface WireError {
  kind: ErrorKind;
  code: ErrorCode;
  text: string;
}

export type ToWriter =
  | { t: 'change'; id: string; origin: string; change: Change }
  | { t: 'watch'; n: number; owners: number[] }
  | { t: 'unwatch'; owner: number }
  /** What became of these changes? */
  | { t: 'ask'; n: number; ids: string[] }
  /** The janitor's: owners changed since the last checkpoint, and the LSN everything committed is below. */
  | { t: 'dirty'; n: number }
  /** The janitor's: everything up to that LSN is durable without the log. */
  | { t: 'checkpointed'; n: number; lsn: number }
  /** The janitor's: segments up to that LSN are needed by nobody; these stage files have their final names. */
  | { t: 'retire'; n: number; lsn: number; stages: string[] }
  /** The janitor's: these owners' journals (0: that of directory.db) are folded back and too long; begin them anew. */
  | { t: 'shorten'; n: number; owners: number[] }
  /** A reader found an owner's index (0: directory.db) damaged. */
  | { t: 'suspect'; owner: number; reason: string }
  /** Put a message file back whose bytes were found again. */
  | { t: 'mend'; n: number; mending: Mending }
  /** Build an owner's index anew from its snapshot and the log. */
  | { t: 'rebuild'; n: number; owner: number; acceptLoss?: boolean };

export type FromWriter =
  | { t: 'done'; id: string; r: unknown }
  | { t: 'fail'; id: string; e: WireError }
  | { t: 'answer'; n: number; r: unknown }
  | { t: 'news'; news: OwnerNews[] }
  /** The owner's index is another file now, or gone: open handles read the past. */
  | { t: 'replaced'; owner: number }
  /** The owner's index lacks records, or is whole again: it must not be read meanwhile. */
  | { t: 'closed'; owner: number; closed: boolean };

export function toWireError(thrown: unknown): WireError {
  const { kind, code, message } = asMailError(thrown);
  return { kind, code, text: message };
}

export function fromWireError(error: WireError): MailError {
  return new MailError(error.kind, error.code, error.text);
}
