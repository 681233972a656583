/** The base subject of RFC 5256 §2.1, by which SORT and THREAD compare subjects. Linear in the subject's length. */

const LBRACKET = 91;
const RBRACKET = 93;

/** Takes a decoded subject (see `decodeHeader`); returns it without reply and forward marks. Case is kept. */
export function baseSubject(subject: string): string {
  // (1) tabs and continuations are spaces, several spaces are one
  const text = subject.replace(/[ \t\r\n]+/g, ' ');
  const lower = text.toLowerCase();
  // Lower case may change the length of exotic text; the marks looked for are ASCII, so ASCII case is enough there.
  const folded = lower.length === text.length ? lower : text.replace(/[A-Z]/g, (c) => c.toLowerCase());
  let start = 0;
  let end = text.length;
  for (;;) {
    end = withoutTrailers(folded, start, end); // (2)
    start = withoutLeaders(folded, start, end); // (3) (4) (5)
    // (6)
    if (!folded.startsWith('[fwd:', start) || end - start < 6 || text.charCodeAt(end - 1) !== RBRACKET) break;
    start += 5;
    end -= 1;
  }
  return text.slice(start, end); // (7)
}

/** Cuts `subj-trailer` at the end: "(fwd)" and blanks. Returns the new end. */
function withoutTrailers(text: string, start: number, end: number): number {
  let to = end;
  for (;;) {
    if (to > start && text.charCodeAt(to - 1) === 32) to--;
    else if (to - start >= 5 && text.startsWith('(fwd)', to - 5)) to -= 5;
    else return to;
  }
}

/** Cuts `subj-leader` and, where something is left behind them, `subj-blob`s at the start. Returns the new start. */
function withoutLeaders(text: string, start: number, end: number): number {
  let from = start;
  for (;;) {
    while (from < end && text.charCodeAt(from) === 32) from++;
    // All blobs at once: *subj-blob subj-refwd is a leader, and blobs without it go one by one to the same place.
    let behind = from;
    let kept = from;
    for (let next = blobEnd(text, behind, end); next > 0; next = blobEnd(text, behind, end)) {
      behind = next;
      if (next < end) kept = next;
    }
    const refwd = refwdEnd(text, behind, end);
    if (refwd > 0) from = refwd;
    else return kept;
  }
}

/** Behind `"[" *BLOBCHAR "]" *WSP` at `at`, or 0. */
function blobEnd(text: string, at: number, end: number): number {
  if (at >= end || text.charCodeAt(at) !== LBRACKET) return 0;
  let pos = at + 1;
  while (pos < end && text.charCodeAt(pos) !== LBRACKET && text.charCodeAt(pos) !== RBRACKET) pos++;
  if (pos >= end || text.charCodeAt(pos) !== RBRACKET) return 0;
  pos++;
  while (pos < end && text.charCodeAt(pos) === 32) pos++;
  return pos;
}

/** Behind `("re" / ("fw" ["d"])) *WSP [subj-blob] ":"` at `at`, or 0. `text` is in lower case. */
function refwdEnd(text: string, at: number, end: number): number {
  let pos: number;
  if (text.startsWith('re', at)) pos = at + 2;
  else if (text.startsWith('fwd', at)) pos = at + 3;
  else if (text.startsWith('fw', at)) pos = at + 2;
  else return 0;
  while (pos < end && text.charCodeAt(pos) === 32) pos++;
  pos = blobEnd(text, pos, end) || pos;
  return pos < end && text.charCodeAt(pos) === 58 ? pos + 1 : 0;
}
