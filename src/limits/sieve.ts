import { rows } from './limit.ts';

/** sieve: what a user's script may make us do. A script that meets a bound at run time ends there; the message is kept. */
export const sieveLimits = rows({
  sieve_script: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'one script; Cyrus allows 32 KB, and a thousand rules of a web interface fit into 64 KB',
    onExcess: 'the script is refused with an error that says so',
  },
  sieve_errors: {
    value: 100,
    unit: 'count',
    reason: 'findings of one script; nobody reads more, and each costs memory',
    onExcess: 'the script is not looked at any further, and the last finding says so',
  },
  sieve_identifier: {
    value: 32,
    unit: 'bytes',
    reason: 'names of commands, tests and tags; the longest of the RFCs has 22',
    onExcess: 'an error at the name',
  },
  sieve_arguments: {
    value: 32,
    unit: 'count',
    reason: 'arguments of one command or test, where a list is one (Dovecot: 32)',
    onExcess: 'an error at the argument that is one too many',
  },
  sieve_block_depth: {
    value: 32,
    unit: 'levels',
    reason: 'blocks in blocks; parser and compiler call themselves once per level (Dovecot: 32)',
    onExcess: 'an error at the block that is too deep',
  },
  sieve_test_depth: {
    value: 32,
    unit: 'levels',
    reason: 'tests in tests; parser and compiler call themselves once per level (Dovecot: 32)',
    onExcess: 'an error at the test that is too deep',
  },
  sieve_instructions: {
    value: 1_000_000,
    unit: 'count',
    reason:
      'steps of one run, of about a microsecond each: a comparison costs one per key and value, and per kilobyte of a long one; a ' +
      'script of 64 KB has about 3,000 tests',
    onExcess: 'the script ends with an error',
  },
  sieve_memory: {
    value: 16 << 20,
    unit: 'bytes',
    reason: 'text that one run makes: variables, values and the texts of actions',
    onExcess: 'the script ends with an error',
  },
  sieve_edited: {
    value: 32 << 20,
    unit: 'bytes',
    reason: 'what actions of one run hold of messages that it changed, beyond twice the message that came',
    onExcess: 'the script ends with an error',
  },
  sieve_variables: {
    value: 128,
    unit: 'count',
    reason: 'RFC 5229 §6: variables of one script, or shared ones of all; no script has as many',
    onExcess: 'an error where the script names one more',
  },
  sieve_variable_name: {
    value: 64,
    unit: 'bytes',
    reason: 'RFC 5229 §6 asks for 32',
    onExcess: 'an error at the name',
  },
  sieve_variable: {
    value: 4_096,
    unit: 'bytes',
    reason: 'RFC 5229 §6: a value of `set`; 128 of them are half a megabyte at most',
    onExcess: 'the value is cut there, not within a character',
  },
  sieve_value: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'a string with variables in it; as large as a script, so that a text of constants always fits',
    onExcess: 'the string is cut there, not within a character',
  },
  sieve_include_depth: {
    value: 10,
    unit: 'levels',
    reason: 'scripts that include scripts (Dovecot: 10)',
    onExcess: 'the script ends with an error; where scripts can be had while one is compiled it is refused',
  },
  sieve_includes: {
    value: 255,
    unit: 'count',
    reason: 'different scripts included in one run (Dovecot: 255)',
    onExcess: 'the script ends with an error; where scripts can be had while one is compiled it is refused',
  },
  sieve_cache: {
    value: 4 << 20,
    unit: 'bytes',
    reason:
      'source of the scripts a process keeps compiled: a thousand of usual size, each some ten times as large in memory',
    onExcess: 'those that were not used longest are compiled again when they are needed',
  },
  sieve_actions: {
    value: 32,
    unit: 'count',
    reason: 'actions of one run (Dovecot: 32)',
    onExcess: 'the script ends with an error',
  },
  sieve_notifications: {
    value: 10,
    unit: 'count',
    reason: 'notifications of one run (Dovecot: 10)',
    onExcess: 'the script ends with an error',
  },
  sieve_redirects: {
    value: 4,
    unit: 'count',
    reason: 'RFC 5228 §10: redirect must not multiply mail without bound (Dovecot: 4)',
    onExcess: 'the script ends with an error',
  },
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
  sieve_program_output: {
    value: 64 << 20,
    unit: 'bytes',
    reason: 'what an external program writes is held in memory, and may be the message it filtered',
    onExcess: 'the program is ended, and has failed',
  },
  sieve_part_loops: {
    value: 4,
    unit: 'levels',
    reason: 'each loop inside another goes over all parts again (RFC 5703 §3)',
    onExcess: 'an error at the loop that is too deep, or the script ends with one',
  },
  sieve_body: {
    value: 4 << 20,
    unit: 'bytes',
    reason:
      'what one body test looks at is decoded into memory; text that a rule can mean stands at the beginning',
    onExcess: 'the rest of the body is not looked at',
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
