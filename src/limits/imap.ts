import { rows } from './limit.ts';

/** Imap: what one command may hold. Beyond a limit a command fails; the connection stays in step or ends. */
export const imapLimits = rows({
  imap_line_preauth: {
    value: 32 << 10,
    unit: 'bytes',
    reason: 'the longest command before login is an ID of 30 fields with 1,024 bytes each (RFC 2971 §3.3)',
    onExcess: 'the rest of the line is dropped and the connection ends with BYE',
  },
  imap_line: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'RFC 7162 §4 asks for 8 KB at least; clients list thousands of UIDs in one set',
    onExcess: 'the rest of the line is dropped and the command is answered with BAD [TOOBIG]',
  },
  imap_literal_preauth: {
    value: 8 << 10,
    unit: 'bytes',
    reason: 'user names and passwords are the only literals before login',
    onExcess: 'NO [TOOBIG] before the continuation; a non-synchronizing literal is read and dropped',
  },
  imap_literal: {
    value: 128 << 10,
    unit: 'bytes',
    reason: 'all literals of one command but the message of APPEND, as maxliteral in Cyrus',
    onExcess: 'NO [TOOBIG] before the continuation; a non-synchronizing literal is read and dropped',
  },
  imap_literals: {
    value: 1_000,
    unit: 'count',
    reason: 'literals of one command; each costs more than its bytes (CVE-2024-34055)',
    onExcess: 'NO [TOOBIG] before the continuation; a non-synchronizing literal is read and dropped',
  },
  imap_command_bytes: {
    value: 256 << 10,
    unit: 'bytes',
    reason: 'all lines of one command with its literals: lines between many literals add up',
    onExcess: 'the rest of the command is dropped and it is answered with BAD [TOOBIG]',
  },
  imap_tag: {
    value: 128,
    unit: 'bytes',
    reason: 'a tag is repeated in every answer; clients use less than 20',
    onExcess: 'the command is answered with an untagged BAD',
  },
  imap_depth: {
    value: 64,
    unit: 'levels',
    reason: 'parentheses, NOT and OR inside each other; clients stay below 10 (CVE-2026-27857)',
    onExcess: 'the command is answered with BAD',
  },
  imap_sequence_elements: {
    value: 10_000,
    unit: 'count',
    reason: 'elements of one sequence-set; a line of 64 KB holds more than anyone sends',
    onExcess: 'the command is answered with BAD',
  },
  imap_search_nodes: {
    value: 1_000,
    unit: 'count',
    reason: 'keys of one SEARCH: each is tested against every message',
    onExcess: 'the command is answered with BAD',
  },
  imap_list_items: {
    value: 1_000,
    unit: 'count',
    reason: 'flags of a STORE, items of a FETCH, patterns of a LIST, names of an ENABLE',
    onExcess: 'the command is answered with BAD',
  },
  imap_append_messages: {
    value: 1_000,
    unit: 'count',
    reason: 'messages of one APPEND: one record of the log, and nobody else is served while it is applied',
    onExcess: 'NO [LIMIT] before the continuation, none of the messages is kept',
  },
  imap_append_memory: {
    value: 8 << 20,
    unit: 'bytes',
    reason: 'small messages of one APPEND that wait in memory for the last one; each alone has 64 KB at most',
    onExcess: 'further ones wait on disk',
  },
  imap_append_held: {
    value: 24 << 20,
    unit: 'bytes',
    reason: 'the same with headers and structures, which are in memory wherever the message waits',
    onExcess: 'NO [TOOBIG], none of the messages is kept',
  },
  imap_bad_commands: {
    value: 20,
    unit: 'count',
    reason: 'bad commands in a row: whoever goes on after so many does not speak IMAP',
    onExcess: 'BYE; before login the first command that is none of IMAP ends the connection',
  },
  imap_command_idle: {
    value: 300,
    unit: 'seconds',
    reason: 'silence in the middle of a command or of its literal; between commands `timeout` counts',
    onExcess: 'BYE; a message half received is thrown away',
  },
  imap_idle_keepalive: {
    value: 120,
    unit: 'seconds',
    reason:
      'silence during IDLE after which a line is sent; address translators forget a connection after minutes',
    onExcess: '* OK Still here',
  },
  imap_search_text: {
    value: 4 << 20,
    unit: 'bytes',
    reason: 'encoded text of one message that SEARCH BODY and TEXT decode; it is in memory meanwhile',
    onExcess: 'text beyond it is not searched',
  },
  imap_sort_text: {
    value: 1_000,
    unit: 'count',
    reason:
      'chars of a subject or address by which SORT and THREAD compare; those of all messages are held at once',
    onExcess: 'what lies beyond is not compared',
  },
  imap_thread_references: {
    value: 100,
    unit: 'count',
    reason: 'ids of one References field that THREAD links; long threads are cut near 20 by most clients',
    onExcess: 'the first and the newest ids are kept, those between are dropped',
  },
  imap_thread_unknown: {
    value: 1_000_000,
    unit: 'count',
    reason: 'message ids that THREAD keeps for messages it has not seen (yet): memory grows with each',
    onExcess: 'further references to messages not seen yet are passed over',
  },
  imap_kept: {
    value: 400_000,
    unit: 'count',
    reason:
      'dates and message ids that a process keeps of messages it has sorted or threaded, of each kind; about 60 bytes each',
    onExcess: 'the mailboxes longest unused are forgotten and read again',
  },
  imap_id_params: {
    value: 30,
    unit: 'count',
    reason: 'RFC 2971 §3.3',
    onExcess: 'the command is answered with BAD',
  },
  imap_id_field: {
    value: 30,
    unit: 'bytes',
    reason: 'RFC 2971 §3.3',
    onExcess: 'the command is answered with BAD',
  },
  imap_id_value: {
    value: 1_024,
    unit: 'bytes',
    reason: 'RFC 2971 §3.3',
    onExcess: 'the command is answered with BAD',
  },
});
