/** The match types of RFC 5228; extensions bring others (`MatchType` in their file). */
import { contains } from './contains.ts';
import { is } from './is.ts';
import { matches } from './matches.ts';
import type { MatchType } from './matcher.ts';

export const MATCH_TYPES: readonly MatchType[] = [is, contains, matches];
