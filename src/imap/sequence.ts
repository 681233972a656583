/**
 * Sequence sets as a client writes them (RFC 9051 §9 sequence-set): read into pairs, resolved later against the
 * mailbox as the session knows it, since `*` has no number until then.
 */

import { syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';
import { MAX_UID, UidSet } from '../store/uidset.ts';

/** A parsed sequence-set. */
export interface SequenceSet {
  /** Pairs from, to of every element in the order given; 0 stands for `*`. A single number is a pair of equals. */
  readonly pairs: readonly number[];
  /** True for `$`, the result of the last SEARCH RETURN (SAVE) (RFC 9051 §6.4.4.1); then `pairs` is empty. */
  readonly saved: boolean;
}

/** The largest number in use, in the pairs of a set. */
export const STAR = 0;

/** `$`, the saved search result. */
export const SAVED_RESULT: SequenceSet = { pairs: [], saved: true };

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;
const ASTERISK = 0x2a;

/**
 * Reads a sequence-set, the whole of `text`. `searchres` says whether `$` is understood. Throws a syntax error for
 * anything else: zero, numbers beyond 32 bits, empty elements, more elements than `imap_sequence_elements`.
 */
export function parseSequenceSet(text: string, searchres: boolean): SequenceSet {
  if (text === '$') {
    if (searchres) return SAVED_RESULT;
    throw syntaxError('the saved search result $ is not available here');
  }
  const pairs: number[] = [];
  let i = 0;
  while (true) {
    const from = numberAt(text, i);
    i = from.end;
    let to = from.value;
    if (text.charCodeAt(i) === COLON) {
      const second = numberAt(text, i + 1);
      i = second.end;
      to = second.value;
    }
    pairs.push(from.value, to);
    if (pairs.length > 2 * limits.imap_sequence_elements.value) {
      throw syntaxError(`a set may hold at most ${limits.imap_sequence_elements.value} elements`);
    }
    if (i === text.length) return { pairs, saved: false };
    if (text.charCodeAt(i) !== COMMA) throw malformed();
    i++;
  }
}

/**
 * The sequence numbers of a set in a mailbox in which the session knows `exists` messages. RFC 9051 §9 seq-number: a
 * number beyond, and `*` in an empty mailbox, are the client's mistake and a syntax error. `saved` holds the
 * sequence numbers of the saved search result.
 */
export function resolveSequence(set: SequenceSet, exists: number, saved: UidSet = UidSet.empty): UidSet {
  if (set.saved) return saved;
  const { pairs } = set;
  const runs: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const a = pairs[i] === STAR ? exists : pairs[i] as number;
    const b = pairs[i + 1] === STAR ? exists : pairs[i + 1] as number;
    const hi = Math.max(a, b);
    if (hi > exists || exists === 0) {
      throw syntaxError(
        exists === 0 ? 'the mailbox is empty' : `there is no message ${hi}: the mailbox holds ${exists}`,
      );
    }
    runs.push(Math.min(a, b), hi);
  }
  return UidSet.fromRuns(runs);
}

/**
 * The sequence numbers of a set as a SEARCH key: a condition rather than an operand, so that a number nobody has matches
 * nothing, `*` in an empty mailbox too. Clients ask so without looking (`UID SEARCH 1:* UNSEEN`), and RFC 9051 §9 makes BAD
 * a "should" only.
 */
export function matchSequence(set: SequenceSet, exists: number): UidSet {
  return exists === 0 ? UidSet.empty : resolveUids(set, exists).clip(1, exists);
}

/**
 * The UIDs of a set, whether messages have them or not: intersect with the mailbox. `last` is what `*` stands for: the
 * UID of the last message, or UIDNEXT of an empty mailbox (RFC 9051 §9 seq-number). So `900:*` holds the last message
 * whatever its UID. `saved` holds the UIDs of the saved search result.
 */
export function resolveUids(set: SequenceSet, last: number, saved: UidSet = UidSet.empty): UidSet {
  if (set.saved) return saved;
  const { pairs } = set;
  const runs: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const a = pairs[i] === STAR ? last : pairs[i] as number;
    const b = pairs[i + 1] === STAR ? last : pairs[i + 1] as number;
    runs.push(Math.min(a, b), Math.max(a, b));
  }
  return UidSet.fromRuns(runs);
}

/** One number or `*` at `start`, and where it ends. */
function numberAt(text: string, start: number): { value: number; end: number } {
  if (text.charCodeAt(start) === ASTERISK) return { value: STAR, end: start + 1 };
  let end = start;
  let value = 0;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code < DIGIT_0 || code > DIGIT_9) break;
    value = value * 10 + (code - DIGIT_0);
    if (value > MAX_UID) throw syntaxError('a number of a set must be below 4294967296');
  }
  if (end === start) throw malformed();
  if (text.charCodeAt(start) === DIGIT_0) throw syntaxError('the numbers of a set begin at 1');
  return { value, end };
}

function malformed(): Error {
  return syntaxError('expected a set of numbers, as in 1:5,7,9:*');
}
