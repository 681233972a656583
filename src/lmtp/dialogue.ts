/** What a command sees of its connection: the facts, the transaction, and how to answer and go on. */

import type { InterfaceDomains } from '../auth/interface.ts';
import type { SaslContext } from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import type { Deliverer } from '../delivery/deliverer.ts';
import type { Connection } from '../net/connection.ts';
import type { SecurityLayer } from '../net/layer.ts';
import type { DeliverBy, DsnNotify } from '../outgoing/envelope.ts';
import type { DeliveryTarget, Identity, Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import type { Reception } from './reception.ts';
import type { Reply } from './write.ts';

/** A recipient that was accepted; one reply each after the data (RFC 2033 §4.2). */
export interface Recipient {
  /** The forward path as given, without brackets. */
  readonly address: string;
  readonly target: DeliveryTarget;
  /** The same for all recipients of a transaction. */
  readonly ignoreQuota: boolean;
  /** NOTIFY of RFC 3461; undefined where it was not given. */
  readonly notify: DsnNotify | undefined;
  /** ORCPT of RFC 3461: type and address, decoded. */
  readonly originalRecipient: string | undefined;
}

/** From MAIL to the replies after the data, or to RSET. */
export interface Transaction {
  /** Also in Received and in the log. */
  readonly queueId: string;
  /** The reverse path without brackets, '' for the null path. */
  readonly sender: string;
  readonly smtputf8: boolean;
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Octets by SIZE (RFC 1870), 0 where it was not given. An announcement, never believed. */
  readonly declaredSize: number;
  /** IGNOREQUOTA given to MAIL: for all recipients. */
  readonly ignoreQuota: boolean;
  /** RET and ENVID of RFC 3461. */
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly envid: string | undefined;
  /** BY of RFC 2852, counted from `begun`. */
  readonly deliverBy: DeliverBy | undefined;
  /** When MAIL was given, in milliseconds since 1970. */
  readonly begun: number;
  /** In the order of RCPT, duplicates included. */
  readonly recipients: Recipient[];
  /** The message, once DATA or the first BDAT has begun. */
  reception: Reception | null;
}

export interface Dialogue {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly store: Store;
  readonly deliverer: Deliverer;
  readonly log: Log;
  /** Completes recipients without a domain where `virtdomains` is on. */
  readonly interfaces: InterfaceDomains;
  /** Needs no AUTH: unix socket, `lmtpd -a`, trusted network. */
  readonly trusted: boolean;
  /** SASL mechanisms offered on this connection as it is now; empty for trusted peers. */
  readonly mechanisms: readonly string[];
  /** Who logged in with AUTH. */
  readonly user: Identity | null;
  /** The name given in LHLO, '' before. */
  clientName: string;
  transaction: Transaction | null;

  /** Ends the transaction, if there is one, without a delivery. */
  reset(): void;
  say(answer: Reply): void;
  /** An answer of several lines. */
  sayLines(code: number, lines: readonly string[]): void;
  /** Handles no further input until `work` is done; what it throws is answered as a failure. */
  wait(work: Promise<void>): void;
  /** Like `wait`, but further RCPT commands may start while `work` runs; their answers keep the order. */
  lookUp(work: Promise<() => void>): void;
  /** What follows is a message up to CRLF.CRLF. */
  readData(sink: (bytes: Buffer) => void, done: () => void): void;
  /** What follows are exactly `size` octets. */
  readChunk(size: number, sink: (bytes: Buffer) => void, done: () => void): void;
  /** TLS, then everything as after the greeting (RFC 3207 §4.2). */
  startTls(): void;
  /** Gives the next line, without its CRLF, to `handler` instead of reading it as a command (RFC 4954 §4). */
  readLine(handler: (line: string) => void): void;
  /** What a SASL mechanism may use on this connection. */
  readonly sasl: SaslContext;
  /** AUTH succeeded and was answered; a security layer begins behind that answer (RFC 4954 §4). */
  logIn(user: Identity, layer: SecurityLayer | undefined): void;
  /** Sends what waits and closes. */
  close(): void;
}

/** One verb. Throws MailError for what goes wrong; syntax errors count as bad commands. */
export type CommandHandler = (dialogue: Dialogue, argument: string) => void;
