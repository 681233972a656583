/** Message ids as THREAD compares them (RFC 5256 §3 REFERENCES): the same id, however it is quoted, is the same text. */

import { limits } from '../limits.ts';

/** RFC 5322 §2.1.1: an id stands on one line. */
const LONGEST = 998;

/** The first valid id of a Message-ID or In-Reply-To value; null if there is none. */
export function firstId(value: string | null): string | null {
  for (const id of messageIds(value)) {
    const normal = normalizeId(id);
    if (normal !== null) return normal;
  }
  return null;
}

/** The valid ids of a References value: beyond `limits.imap_thread_references` the first and the newest. */
export function referenceIds(value: string | null): string[] {
  const ids: string[] = [];
  for (const id of messageIds(value)) {
    const normal = normalizeId(id);
    if (normal !== null) ids.push(normal);
  }
  const most = limits.imap_thread_references.value;
  if (ids.length > most) ids.splice(1, ids.length - most);
  return ids;
}

/** `<"a\b"@c>` is `a` `b` at `c`: without brackets, quotes, escapes and the blanks of folding. Null if it is no id. */
export function normalizeId(id: string): string | null {
  if (id.length > LONGEST) return null;
  const inner = id.slice(1, -1).replace(/[ \t]+/g, '');
  const text = inner.includes('"') ? inner.replace(/\\(.)|"/g, '$1') : inner;
  const at = text.lastIndexOf('@');
  return at > 0 && at < text.length - 1 ? text : null;
}

/**
 * The `<...>` of a References or In-Reply-To value. If there are more than `limits.mime_references`, the first, which
 * names the thread, and the newest are kept.
 */
export function messageIds(value: string | null): string[] {
  if (value === null) return [];
  const most = limits.mime_references.value;
  const ids: string[] = [];
  let open = -1;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === LESS) open = i;
    else if (c === GREATER && open >= 0) {
      if (i > open + 1) ids.push(value.slice(open, i + 1));
      open = -1;
      if (ids.length > 2 * most) ids.splice(1, ids.length - most);
    }
  }
  if (ids.length > most) ids.splice(1, ids.length - most);
  return ids;
}

const LESS = 60;
const GREATER = 62;
