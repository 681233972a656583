/**
 * SEARCH compiled: from the key's tree to sets and masks that need no message at all, and one test for what remains, with
 * cheap terms before costly ones. Pure: messages are asked through `SearchMessage`, which reads only what it is asked for.
 */

import { syntaxError } from '../../errors.ts';
import { type FlagBits, keywordBit, NO_FLAGS, systemFlagBit, unionFlags } from '../../store/flags.ts';
import { UidSet } from '../../store/uidset.ts';
import { matchSequence, resolveUids } from '../sequence.ts';
import type { DateCompare, SearchKey } from './key.ts';
import { Needle } from './needle.ts';

/** One message under test. The methods may open files; the plan calls them as late and as seldom as it can. */
export interface SearchMessage {
  readonly uid: number;
  readonly flagsLo: number;
  readonly flagsHi: number;
  readonly modseq: number;
  /** Bytes. */
  readonly size: number;
  /** Unix seconds. */
  readonly internaldate: number;
  /** Unix seconds. */
  readonly savedate: number;
  /** The day of the Date field as written there, disregarding its time and zone: days since 1970-01-01, or null. */
  sentDay(): number | null;
  /** What ENVELOPE has of a field (lower case), decoded; null when it has nothing. */
  envelope(field: string): string | null;
  /** Values of the fields of this name (lower case), unfolded and decoded; empty when there is none. */
  header(name: string): readonly string[];
  /** Whether the header fields, MIME parts' included, hold a text when they are decoded. */
  headersHold(needle: Needle): boolean;
  /** The same of the text of the body. */
  bodyHolds(needle: Needle): boolean;
}

/** The mailbox and connection a search runs in. */
export interface SearchContext {
  /** What the session has announced: positions are sequence numbers. */
  readonly uids: UidSet;
  /** What `*` stands for as a UID: that of the last message, or UIDNEXT of an empty mailbox. */
  readonly lastUid: number;
  readonly recent: UidSet;
  /** The saved search result `$`, as UIDs. */
  readonly saved: UidSet;
  /** Keyword table of the mailbox. */
  readonly keywords: readonly string[];
  /** Minutes east of Greenwich at a time (unix seconds), the zone in which INTERNALDATE is shown. */
  readonly zone: (seconds: number) => number;
}

/** What has to be read to test a message; each includes those before it. */
export type SearchNeed = 'nothing' | 'row' | 'envelope' | 'header' | 'body';

/** A compiled search: matches are those of `candidates` with all flags of `all`, none of `none`, that pass `test`. */
export interface SearchPlan {
  readonly candidates: UidSet;
  readonly all: FlagBits;
  readonly none: FlagBits;
  /** Null when sets and flags say everything. It does not test candidates and masks again. */
  readonly test: ((message: SearchMessage) => boolean) | null;
  readonly need: SearchNeed;
  /** A MODSEQ key was used: the answer carries the highest modseq found (RFC 7162 §3.1.5). */
  readonly modseq: boolean;
}

type Test = (message: SearchMessage) => boolean;

/** A term with what it costs: 0 constant, 1 sets and flags, 2 other columns, 3 envelope, 4 header, 5 body. */
interface Term {
  readonly cost: number;
  readonly test: Test;
}

const DAY = 86_400;
const NEEDS: readonly SearchNeed[] = ['nothing', 'row', 'row', 'envelope', 'header', 'body'];

/** Fields that a header holds once (RFC 5322 §3.6) and ENVELOPE as they are: clients look for messages by these. */
const IN_ENVELOPE: ReadonlySet<string> = new Set(['date', 'in-reply-to', 'message-id']);

/** Compiles a key. */
export function compileSearch(key: SearchKey, context: SearchContext): SearchPlan {
  let candidates = context.uids;
  let all = NO_FLAGS;
  let none = NO_FLAGS;
  const rest: Term[] = [];
  for (const term of conjuncts(key)) {
    const set = memberSet(term, context);
    const flag = term.key === 'flag' ? flagBits(term.flag, context.keywords) : undefined;
    if (set !== undefined) candidates = candidates.intersect(set);
    else if (term.key === 'flag' && flag !== undefined) {
      if (term.on) all = unionFlags(all, flag);
      else none = unionFlags(none, flag);
    } else if (term.key === 'flag') {
      // No message here can have a keyword the mailbox has never seen.
      if (term.on) candidates = UidSet.empty;
    } else rest.push(compile(term, context));
  }
  if ((all.lo & none.lo) !== 0 || (all.hi & none.hi) !== 0) candidates = UidSet.empty;
  const joined = conjunction(rest);
  return {
    candidates,
    all,
    none,
    test: joined.cost === 0 && rest.length === 0 ? null : joined.test,
    need: NEEDS[joined.cost] ?? 'body',
    modseq: usesModseq(key),
  };
}

/** The terms that must all hold. */
function conjuncts(key: SearchKey): SearchKey[] {
  if (key.key === 'all') return [];
  return key.key === 'and' ? key.keys.flatMap(conjuncts) : [key];
}

/** The messages a key stands for, where that is known without looking at any. */
function memberSet(key: SearchKey, context: SearchContext): UidSet | undefined {
  const { uids } = context;
  switch (key.key) {
    case 'all':
      return uids;
    case 'seq':
      if (key.set.saved) return context.saved;
      return uids.atPositions(matchSequence(key.set, uids.size));
    case 'uid':
      return resolveUids(key.set, context.lastUid, context.saved);
    case 'recent':
      return key.on ? context.recent : uids.subtract(context.recent);
    case 'not': {
      const set = memberSet(key.of, context);
      return set === undefined ? undefined : uids.subtract(set);
    }
    default:
      return undefined;
  }
}

function compile(key: SearchKey, context: SearchContext): Term {
  const set = memberSet(key, context);
  if (set !== undefined) return { cost: 1, test: (message) => set.has(message.uid) };
  switch (key.key) {
    case 'and':
      return conjunction(key.keys.map((term) => compile(term, context)));
    case 'or': {
      const [first, second] = byCost([compile(key.left, context), compile(key.right, context)]) as [
        Term,
        Term,
      ];
      return { cost: second.cost, test: (message) => first.test(message) || second.test(message) };
    }
    case 'not': {
      const { cost, test } = compile(key.of, context);
      return { cost, test: (message) => !test(message) };
    }
    case 'flag':
      return flagTerm(key.flag, key.on, context.keywords);
    case 'modseq':
      return { cost: 2, test: (message) => message.modseq >= key.modseq };
    case 'size':
      return key.compare === 'larger'
        ? { cost: 2, test: (message) => message.size > key.bytes }
        : { cost: 2, test: (message) => message.size < key.bytes };
    case 'date': {
      const { field, day } = key;
      const compare = COMPARE[key.compare];
      if (field === 'sent') {
        return {
          cost: 3,
          test: (message) => {
            const sent = message.sentDay();
            return sent !== null && compare(sent, day);
          },
        };
      }
      const column = field === 'internal' ? 'internaldate' : 'savedate';
      return {
        cost: 2,
        test: (message) => {
          const time = message[column];
          return compare(Math.floor((time + 60 * context.zone(time)) / DAY), day);
        },
      };
    }
    case 'envelope': {
      const needle = new Needle(key.text);
      return {
        cost: 3,
        test: (message) => {
          const value = message.envelope(key.field);
          return value !== null && needle.inText(value);
        },
      };
    }
    case 'header': {
      if (IN_ENVELOPE.has(key.field)) return compile({ ...key, key: 'envelope' }, context);
      const needle = new Needle(key.text);
      return { cost: 4, test: (message) => message.header(key.field).some((value) => needle.inText(value)) };
    }
    case 'body': {
      const needle = new Needle(key.text);
      return { cost: 5, test: (message) => needle.isEmpty || message.bodyHolds(needle) };
    }
    case 'text': {
      const needle = new Needle(key.text);
      return {
        cost: 5,
        test: (message) => needle.isEmpty || message.headersHold(needle) || message.bodyHolds(needle),
      };
    }
    case 'all':
    case 'seq':
    case 'uid':
    case 'recent':
      throw syntaxError('this search key cannot be used here');
  }
}

/** RFC 9051 §6.4.4: SINCE and SENTSINCE include the day itself. */
const COMPARE: Readonly<Record<DateCompare, (day: number, given: number) => boolean>> = {
  before: (day, given) => day < given,
  on: (day, given) => day === given,
  since: (day, given) => day >= given,
};

/** All terms hold; those that read less are asked first. */
function conjunction(terms: readonly Term[]): Term {
  const [first, second, ...others] = byCost(terms);
  if (first === undefined) return { cost: 0, test: () => true };
  if (second === undefined) return first;
  const ordered = [first, second, ...others];
  return { cost: ordered.at(-1)?.cost ?? 0, test: (message) => ordered.every((term) => term.test(message)) };
}

function byCost(terms: readonly Term[]): Term[] {
  return terms.toSorted((a, b) => a.cost - b.cost);
}

/** The bits of a flag, or undefined for a keyword this mailbox does not know. */
function flagBits(flag: string, keywords: readonly string[]): FlagBits | undefined {
  const system = systemFlagBit(flag);
  if (system !== 0) return { lo: system, hi: 0 };
  const wanted = flag.toLowerCase();
  const index = keywords.findIndex((keyword) => keyword.toLowerCase() === wanted);
  return index < 0 ? undefined : keywordBit(index);
}

function flagTerm(flag: string, on: boolean, keywords: readonly string[]): Term {
  const bits = flagBits(flag, keywords);
  if (bits === undefined) return { cost: 0, test: () => !on };
  const { lo, hi } = bits;
  return {
    cost: 1,
    test: (message) => ((message.flagsLo & lo) !== 0 || (message.flagsHi & hi) !== 0) === on,
  };
}

function usesModseq(key: SearchKey): boolean {
  switch (key.key) {
    case 'modseq':
      return true;
    case 'and':
      return key.keys.some(usesModseq);
    case 'or':
      return usesModseq(key.left) || usesModseq(key.right);
    case 'not':
      return usesModseq(key.of);
    default:
      return false;
  }
}
