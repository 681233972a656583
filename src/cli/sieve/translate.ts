/** Mailbox names in scripts, from Cyrus's internal separator to the one with slashes and without INBOX in front. */

import type { CommandNode, StringNode } from '../../sieve/syntax.ts';
import { parse } from '../../sieve/parser.ts';

/** A script with other names, and how many there were; null for one that cannot be read. */
export function translate(
  source: string,
  change: (mailbox: string) => string,
): { readonly text: string; readonly changed: number } | null {
  const { script, diagnostics } = parse(source, 1);
  if (diagnostics.length > 0) return null;
  const lines = lineStarts(source);
  const edits: { start: number; end: number; text: string }[] = [];
  for (const node of mailboxes(script.commands)) {
    const start = offsetOf(source, lines, node);
    const written = /^"(?:[^"\\]|\\.)*"/s.exec(source.slice(start))?.[0];
    const name = change(node.value);
    // A name with variables or over several lines stays as it is.
    if (written === undefined || name === node.value || name.includes('${')) continue;
    edits.push({ start, end: start + written.length, text: `"${name.replace(/["\\]/g, '\\$&')}"` });
  }
  let text = source;
  for (const { start, end, text: name } of edits.toReversed()) {
    text = text.slice(0, start) + name + text.slice(end);
  }
  return { text, changed: edits.length };
}

/** `INBOX.a.b` to `a/b`, and `user.ann.b` to `user/ann/b`. */
export function withSlashes(mailbox: string): string {
  const own = /^INBOX\.(.+)$/is.exec(mailbox)?.[1] ?? mailbox;
  return own.includes('/') ? mailbox : own.replaceAll('.', '/');
}

/** The mailboxes that commands name, in order. */
function mailboxes(commands: readonly CommandNode[]): StringNode[] {
  const found: StringNode[] = [];
  for (const command of commands) {
    const last = command.arguments.at(-1);
    if (command.name === 'fileinto' && last?.kind === 'string') found.push(last);
    found.push(...mailboxes(command.block ?? []));
  }
  return found;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Columns count characters, of which octets that continue one of UTF-8 are none. */
function offsetOf(source: string, lines: readonly number[], { position }: StringNode): number {
  let at = lines[position.line - 1] ?? source.length;
  for (let column = 1; column < position.column; column++) {
    at++;
    while ((source.charCodeAt(at) & 0xc0) === 0x80) at++;
  }
  return at;
}
