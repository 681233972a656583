/** The lines delivery puts in front of a message: Return-Path, Received and, where there is none, Message-ID. */

import { messageDate } from '../mime/encode.ts';

/** What is known of a delivery when its first byte arrives. Strings hold one character per byte. */
export interface Trace {
  /** The reverse path without brackets; '' for the null path. */
  readonly sender: string;
  /** The name the client gave in LHLO. */
  readonly clientName: string;
  /** The client's address, '' on a unix socket. */
  readonly clientAddress: string;
  readonly servername: string;
  readonly queueId: string;
  readonly authenticated: boolean;
  /** `TLSv1.3 with cipher ...`, or '' on a plain connection. */
  readonly tls: string;
  readonly smtputf8: boolean;
  readonly now: Date;
}

/** As Cyrus 2.3 writes it: rules of old look for the field, and people for the line they know. */
const SIEVE_VERSION = 'CMU Sieve 2.3';

/** The WITH keyword: LMTP with S for TLS and A for AUTH (RFC 3848), UTF8 in front for SMTPUTF8 (RFC 6531 §4.3). */
export function withKeyword(trace: Pick<Trace, 'tls' | 'authenticated' | 'smtputf8'>): string {
  return (trace.smtputf8 ? 'UTF8LMTP' : 'LMTP') + (trace.tls === '' ? '' : 'S') +
    (trace.authenticated ? 'A' : '');
}

/**
 * Return-Path and Received (RFC 5321 §4.4), the same for all recipients of a delivery so that it is stored once;
 * recipients are not named for that reason and for their privacy (RFC 5321 §7.6).
 */
export function traceLines(trace: Trace, addMessageId: boolean): string {
  const tcpInfo = trace.clientAddress === ''
    ? 'unix socket'
    : trace.clientAddress.includes(':')
    ? `[IPv6:${trace.clientAddress}]`
    : `[${trace.clientAddress}]`;
  const tls = trace.tls === '' ? '' : `\t(using ${trace.tls})\r\n`;
  return `Return-Path: <${trace.sender}>\r\n` +
    `Received: from ${trace.clientName} (${tcpInfo})\r\n` +
    tls +
    `\tby ${trace.servername} with ${withKeyword(trace)} id ${trace.queueId};\r\n` +
    `\t${messageDate(trace.now)}\r\n` +
    `X-Sieve: ${SIEVE_VERSION}\r\n` +
    (addMessageId ? `Message-ID: <lmtp-${trace.queueId}@${trace.servername}>\r\n` : '');
}
