/** What a server of SMTP or LMTP answers (RFC 5321 §4.2). */

import { serverError } from '../../errors.ts';

/** Strings hold one character per byte. */
export interface SmtpReply {
  readonly code: number;
  /** Enhanced status code (RFC 2034), or '' where there was none. */
  readonly status: string;
  /** The text of all lines, without their status codes. */
  readonly text: string;
  /** The lines without the code. */
  readonly lines: readonly string[];
}

/** Lines of one reply that are kept; a server that goes on for longer is no longer listened to. */
const MAX_LINES = 200;

/**
 * Reads one reply.
 * @param receive gives the next line without its CRLF
 * @throws MailError 'unavailable' for what is no reply, and what `receive` throws
 */
export async function readReply(receive: () => Promise<string>): Promise<SmtpReply> {
  const lines: string[] = [];
  let status = '';
  for (;;) {
    const line = await receive();
    const match = /^([2-5]\d\d)(?:([- ])(.*))?$/.exec(line);
    if (match === null) throw serverError('the server does not speak SMTP');
    lines.push(match[3] ?? '');
    if (lines.length > MAX_LINES) throw serverError('the reply of the server is too long');
    if (match[2] === '-') continue;
    status = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(lines.at(-1) as string)?.[0] ?? '';
    const text = lines.map((each) => each.startsWith(status) ? each.slice(status.length).trimStart() : each);
    return { code: Number(match[1]), status, text: text.join(' ').trim(), lines };
  }
}

/** Keywords of the extensions a reply to EHLO or LHLO names, in upper case, with their parameters (RFC 5321 §4.1.1.1). */
export function readExtensions(reply: SmtpReply): Map<string, string> {
  return new Map(
    reply.lines.slice(1).map((line) => {
      const [keyword = '', ...parameters] = line.split(' ');
      return [keyword.toUpperCase(), parameters.join(' ')];
    }),
  );
}
