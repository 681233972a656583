/**
 * What passes between the receiver and the session: commands cut out of the byte stream but not yet understood.
 */

import type { MailError } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** A literal of a command. */
export interface Literal {
  /** The bytes, one char each; empty for a streamed message. */
  readonly text: string;
  readonly size: number;
  /** Announced as `~{n}`: it may hold NUL (RFC 9051 §4.3.1). */
  readonly binary: boolean;
  /** A message of an APPEND, which goes to a sink. */
  readonly streamed: boolean;
}

/** A command as received. */
export interface ReceivedCommand {
  readonly tag: string;
  /** The first word in upper case; for UID commands the first two, as `UID FETCH`. */
  readonly name: string;
  /** Where the arguments begin in `lines[0]`: behind the name, at the space or the end. */
  readonly argumentsAt: number;
  /**
   * The lines of the command without their ends, one char per byte; every line but the last ends in the announcement
   * of the literal with its index, as `{5}`.
   */
  readonly lines: readonly string[];
  readonly literals: readonly Literal[];
}

/** Where a message of an APPEND goes. */
export interface MessageSink {
  /** `bytes` is a view that is overwritten later: copy or write at once. An error thrown here refuses the command. */
  write(bytes: Uint8Array): void;
}

export type ReceiverEvent =
  /** A complete command. For APPEND the messages have gone to their sinks. */
  | { readonly type: 'command'; readonly command: ReceivedCommand }
  /** A literal was accepted and the client waits: send a continuation request. */
  | { readonly type: 'continue' }
  /**
   * A message of an APPEND is announced. Parse `command` (all but what follows the message; if `further`, nothing but the
   * line behind the message before), then call `acceptMessage` (and send a continuation request if `sync`) or
   * `refuseMessage`; until then `next` returns undefined. An accepted message is followed by one `further` (RFC 3502), the
   * `command` event or a `refused` event, unless the connection ends first.
   */
  | {
    readonly type: 'message';
    readonly command: ReceivedCommand;
    readonly size: number;
    readonly sync: boolean;
    readonly further: boolean;
  }
  /** The line asked for with `expectLine`, one char per byte. */
  | { readonly type: 'line'; readonly text: string }
  /**
   * The command will not be had; answer with this error. `tag` is null where there was none that may be repeated.
   * After a `fatal` one the connection cannot be followed any more: say BYE.
   */
  | {
    readonly type: 'refused';
    readonly tag: string | null;
    readonly error: MailError;
    readonly fatal: boolean;
  };

/** Bounds of one state of the connection, in bytes and counts. */
export interface ReceiverLimits {
  readonly line: number;
  /** All literals of a command together, without the messages of an APPEND. */
  readonly literal: number;
  readonly literals: number;
  /** All lines and literals of a command. */
  readonly command: number;
  /** Whether a line that is too long ends the connection. */
  readonly fatal: boolean;
}

/** Before login. */
export const PREAUTH_LIMITS: ReceiverLimits = {
  line: limits.imap_line_preauth.value,
  literal: limits.imap_literal_preauth.value,
  literals: limits.imap_literals.value,
  command: limits.imap_command_bytes.value,
  fatal: true,
};

/** After login. */
export const AUTHENTICATED_LIMITS: ReceiverLimits = {
  line: limits.imap_line.value,
  literal: limits.imap_literal.value,
  literals: limits.imap_literals.value,
  command: limits.imap_command_bytes.value,
  fatal: false,
};

/** Returns why a command must not have this literal, or undefined. Asked before the continuation request. */
export type LiteralPolicy = (name: string, size: number, sync: boolean) => MailError | undefined;
