import type { Extension } from '../extension.ts';
import { regex as regexType } from '../match/regex.ts';

/** draft-ietf-sieve-regex: `:regex`, POSIX extended regular expressions, matched in linear time. */
export const regex: Extension = { capability: 'regex', matchTypes: [regexType] };
