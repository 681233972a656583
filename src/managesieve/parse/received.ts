/** What passes between the receiver and the session: commands cut out of the byte stream, not yet understood. */

import type { MailError } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** One argument of a command (RFC 5804 §1.2). Text has one char per byte. */
export interface Argument {
  readonly kind: 'string' | 'number' | 'atom';
  readonly text: string;
}

export interface ReceivedCommand {
  /** Upper case. */
  readonly name: string;
  readonly args: readonly Argument[];
}

export type ReceiverEvent =
  | { readonly type: 'command'; readonly command: ReceivedCommand }
  /** The string asked for with `expectString`, one char per byte. */
  | { readonly type: 'string'; readonly text: string }
  /**
   * What came will not be had; answer with this error. `name` is the command's in upper case, '' where there was none.
   * After a `fatal` one the connection cannot be followed any more: say BYE.
   */
  | {
    readonly type: 'refused';
    readonly name: string;
    readonly error: MailError;
    readonly fatal: boolean;
  };

/** Bounds of one state of the connection. */
export interface ReceiverLimits {
  /** Bytes of a line. */
  readonly line: number;
  /** Whether a line or literal that is too long ends the connection. */
  readonly fatal: boolean;
  /** Why the literals of a command must not have this many bytes together; undefined where they may. */
  literal(bytes: number): MailError | undefined;
}

/** The least bound of literals there is: for responses, and for commands of strangers. */
export const SMALL_LITERAL = limits.sasl_response.value;
