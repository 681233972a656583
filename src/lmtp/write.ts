/** Replies: code, enhanced status code and text (RFC 5321 §4.2, RFC 2034, RFC 3463). */

export interface Reply {
  readonly code: number;
  /** RFC 3463 status that agrees with the code, or '' where RFC 2034 §4 wants none (greeting, LHLO, 3xx). */
  readonly status: string;
  readonly text: string;
  /** Further lines, with the same code and status (RFC 5321 §4.2.1). */
  readonly more?: readonly string[];
}

/** Longest text of a reply line; RFC 5321 §4.5.3.1.5 allows 512 octets with code and line end. */
const MAX_TEXT = 400;

/** A reply; its text may hold anything, `renderReply` makes it safe. */
export function reply(code: number, status: string, text: string): Reply {
  return { code, status, text };
}

/** The reply as a line: printable ASCII, and no markup a browser would run when tricked into talking to us (ALPACA). */
export function renderReply(answer: Reply): string {
  const { code, status, more } = answer;
  const front = status === '' ? '' : `${status} `;
  if (more === undefined || more.length === 0) return `${code} ${front}${safeText(answer.text)}\r\n`;
  return renderLines(code, [answer.text, ...more].map((line) => front + line));
}

/** A reply of several lines without status codes, as LHLO and HELP give it. `lines` holds one line at least. */
export function renderLines(code: number, lines: readonly string[]): string {
  const last = lines.length - 1;
  return lines.map((line, index) => `${code}${index === last ? ' ' : '-'}${safeText(line)}\r\n`).join('');
}

const UNSAFE = /[^\x20-\x7e]|[<>]/g;

function safeText(text: string): string {
  const plain = text.replace(UNSAFE, '?');
  return plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT - 3)}...` : plain;
}
