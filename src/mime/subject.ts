/** The base subject of RFC 5256 §2.1, by which SORT and THREAD compare subjects. Linear in the subject's length. */

const LBRACKET = 91;
const RBRACKET = 93;

/** A subject taken apart. */
export interface SubjectBase {
  /** The base subject; case is kept. */
  readonly base: string;
  /** A reply or forward mark was taken off: `Re:`, `(fwd)`, `[fwd: ]` (RFC 5256 §3 REFERENCES). */
  readonly reply: boolean;
}

/** Takes a decoded subject (see `decodeHeader`); returns it without reply and forward marks. Case is kept. */
export function baseSubject(subject: string): string {
  return splitSubject(subject).base;
}

/** The base subject of a decoded subject, and whether the subject is that of a reply or forward. */
export function splitSubject(subject: string): SubjectBase {
  // (1) tabs and continuations are spaces, several spaces are one
  const text = subject.replace(/[ \t\r\n]+/g, ' ');
  const lower = text.toLowerCase();
  // Lower case may change the length of exotic text; the marks looked for are ASCII, so ASCII case is enough there.
  const folded = lower.length === text.length ? lower : text.replace(/[A-Z]/g, (c) => c.toLowerCase());
  let start = 0;
  let end = text.length;
  let reply = false;
  for (;;) {
    const trailers = end;
    end = withoutTrailers(folded, start, end); // (2)
    // Besides blanks only "(fwd)" goes at the end.
    reply ||= folded.startsWith('(fwd)', skipSpaces(folded, end, trailers));
    const leaders = withoutLeaders(folded, start, end); // (3) (4) (5)
    start = leaders.start;
    reply ||= leaders.reply;
    // (6)
    if (!folded.startsWith('[fwd:', start) || end - start < 6 || text.charCodeAt(end - 1) !== RBRACKET) break;
    start += 5;
    end -= 1;
    reply = true;
  }
  return { base: text.slice(start, end), reply }; // (7)
}

function skipSpaces(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) === 32) at++;
  return at;
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

/** Cuts `subj-leader` and, where something is left behind them, `subj-blob`s at the start; says whether a `subj-refwd` was there. */
function withoutLeaders(text: string, start: number, end: number): { start: number; reply: boolean } {
  let from = start;
  let reply = false;
  for (;;) {
    from = skipSpaces(text, from, end);
    // All blobs at once: *subj-blob subj-refwd is a leader, and blobs without it go one by one to the same place.
    let behind = from;
    let kept = from;
    for (let next = blobEnd(text, behind, end); next > 0; next = blobEnd(text, behind, end)) {
      behind = next;
      if (next < end) kept = next;
    }
    const refwd = refwdEnd(text, behind, end);
    if (refwd === 0) return { start: kept, reply };
    from = refwd;
    reply = true;
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
