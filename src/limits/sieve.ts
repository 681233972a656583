import { rows } from './limit.ts';

/** Sieve: what a script, or a message under it, may make us compute. */
export const sieveLimits = rows({
  sieve_regex_repeat: {
    value: 255,
    unit: 'count',
    reason: 'a bounded repetition is as many copies in the program; POSIX promises 255 (RE_DUP_MAX)',
    onExcess: 'the expression is an error that names the place',
  },
  sieve_regex_depth: {
    value: 64,
    unit: 'levels',
    reason: 'groups inside each other are read by recursion',
    onExcess: 'the expression is an error that names the place',
  },
  sieve_regex_program: {
    value: 8_000,
    unit: 'count',
    reason: 'instructions of one expression: each character of a text costs at most as many steps',
    onExcess: 'the expression is an error that says it repeats too much',
  },
  sieve_match_captures: {
    value: 32,
    unit: 'count',
    reason: 'match variables of one match; RFC 5229 §3.2 asks for ${9} at least, Pigeonhole has 32',
    onExcess: 'further match variables are empty',
  },
  sieve_match_pattern: {
    value: 8_192,
    unit: 'bytes',
    reason: 'a pattern of :matches with ? costs a step per 32 of its characters for each one of the text',
    onExcess: 'the pattern is an error',
  },
});
