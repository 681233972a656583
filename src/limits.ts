/**
 * Every bound of mailstore in one table, each with its unit, its reason and what happens beyond it.
 * Code reads `limits.<row>.value`; tests iterate over the rows, so a new bound cannot ship untested.
 */

/** One bound. `name` repeats the key so that a message or a metric can name the row it met. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly unit: 'bytes' | 'count' | 'levels' | 'seconds';
  /** Why this bound exists and why it has this value. */
  readonly reason: string;
  /** What the program does with input beyond it. */
  readonly onExcess: string;
}

type Row = Omit<Limit, 'name'>;

function table<const Names extends string>(rows: Record<Names, Row>): Readonly<Record<Names, Limit>> {
  const named: Partial<Record<Names, Limit>> = {};
  for (const name in rows) named[name] = Object.freeze({ name, ...rows[name] });
  return Object.freeze(named as Record<Names, Limit>);
}

/** All bounds, grouped by room. Units are bytes, seconds or plain counts; never KB or minutes. */
export const limits = table({
  // mime: what a stored message may make us compute. The message itself is always kept and served whole.
  mime_depth: {
    value: 100,
    unit: 'levels',
    reason: 'nesting of multiparts and encapsulated messages costs memory per level (CVE-2020-12100)',
    onExcess: 'the part at that depth is described as one opaque application/octet-stream part',
  },
  mime_parts: {
    value: 10_000,
    unit: 'count',
    reason: 'a message of nothing but boundaries would make a BODYSTRUCTURE larger than itself',
    onExcess: 'the last part is opaque and reaches to the end of the message',
  },
  mime_header_block: {
    value: 10 << 20,
    unit: 'bytes',
    reason: 'the header block of one part is held as a string while it is read (CVE-2024-23185)',
    onExcess: 'fields beyond it are not looked at; their bytes are still part of the header',
  },
  mime_header_total: {
    value: 50 << 20,
    unit: 'bytes',
    reason: 'all header blocks of one message together (CVE-2024-23185)',
    onExcess: 'header blocks beyond it are not looked at; their parts get the defaults of RFC 2045 §5.2',
  },
  mime_header_fields: {
    value: 100_000,
    unit: 'count',
    reason: 'a field is looked at one by one; real mail has fewer than a hundred',
    onExcess: 'later fields of the block are not looked at',
  },
  mime_boundary: {
    value: 200,
    unit: 'bytes',
    reason: 'RFC 2046 §5.1.1 allows 70; some senders exceed it, and a delimiter line is compared as a whole',
    onExcess: 'the multipart is described as text/plain, as one without a boundary is',
  },
  mime_parameters: {
    value: 128,
    unit: 'count',
    reason: 'parameters of one Content-Type or Content-Disposition (CVE-2026-27859)',
    onExcess: 'later parameters are left out of BODYSTRUCTURE',
  },
  mime_continuations: {
    value: 128,
    unit: 'count',
    reason: 'RFC 2231 §3 continuations of one parameter (CVE-2026-27859)',
    onExcess: 'later continuations are left out of the value',
  },
  mime_addresses: {
    value: 5_000,
    unit: 'count',
    reason: 'addresses of one kind in an ENVELOPE (CVE-2024-23184); large announcements reach a few thousand',
    onExcess: 'later addresses are left out of ENVELOPE; BODY[HEADER] has them',
  },
  mime_string: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'one string of ENVELOPE or BODYSTRUCTURE; a 10 MB Subject would be sent with every listing',
    onExcess: 'the string is cut there in ENVELOPE and BODYSTRUCTURE; BODY[HEADER] has it whole',
  },
  mime_references: {
    value: 1_000,
    unit: 'count',
    reason: 'message ids of one References or In-Reply-To field; threading is a walk over them',
    onExcess: 'the first and the newest ids are kept, those between are dropped',
  },

  // imap: what one command may hold. Beyond a limit a command fails; the connection stays in step or ends.
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

  // store: what one owner or one request may make the store hold.
  store_open_indexes: {
    value: 200,
    unit: 'count',
    reason: 'an open index costs about 165 KB and 3 file descriptors; opening one again costs 0.4 ms',
    onExcess: 'the longest unused index is closed',
  },
  store_uid_runs: {
    value: 2_000_000,
    unit: 'count',
    reason: 'runs of UIDs kept of mailboxes with gaps, 16 bytes each: a million messages may have 500,000',
    onExcess: 'the UIDs of the longest unused mailbox are read again when it is selected',
  },
  store_inline_body: {
    value: 64 * 1024,
    unit: 'bytes',
    reason: 'bodies up to this size stand in the redo log; larger ones would be written to disk twice',
    onExcess: 'the body is written to the stage and synced before its record',
  },
  store_frame: {
    value: 64 * 1024 * 1024,
    unit: 'bytes',
    reason: 'one request to the writer: a message header and structure, a UID set, never a large body',
    onExcess: 'the connection between worker and writer is closed',
  },
  store_writer_wait: {
    value: 30,
    unit: 'seconds',
    reason:
      'recovery after a crash of the writer takes well under this; senders wait 10 minutes (RFC 5321 §4.5.3.2)',
    onExcess: 'waiting changes fail as temporary',
  },
  store_known_owners: {
    value: 10_000,
    unit: 'count',
    reason: 'owners a worker remembers, about 300 bytes each; looking one up again costs 10 us',
    onExcess: 'all are forgotten',
  },
  store_mailboxes: {
    value: 5_000,
    unit: 'count',
    reason: 'folders of one user; every client lists them all',
    onExcess: 'CREATE answers NO [LIMIT]',
  },
  store_batch: {
    value: 512,
    unit: 'count',
    reason: 'changes that share one sync: more would only add to the wait of the first',
    onExcess: 'the next batch takes the rest',
  },
  store_batch_bytes: {
    value: 8 * 1024 * 1024,
    unit: 'bytes',
    reason: 'log bytes written before one sync',
    onExcess: 'the next batch takes the rest',
  },
  store_acl_entries: {
    value: 1_000,
    unit: 'count',
    reason: 'identifiers in the ACL of one mailbox, read on every access',
    onExcess: 'SETACL answers NO [LIMIT]',
  },
  store_subscriptions: {
    value: 10_000,
    unit: 'count',
    reason: 'names a user may subscribe to whether or not they exist',
    onExcess: 'SUBSCRIBE answers NO [LIMIT]',
  },
  backup_request: {
    value: 120,
    unit: 'seconds',
    reason: 'an S3 service answers within seconds; a part of 5 MB over a line of 1 MBit/s takes 40',
    onExcess: 'the request is made again a few times, then the backup fails and the next one goes on with it',
  },
  // config: what a configuration file may be.
  config_file: {
    value: 1 << 20,
    unit: 'bytes',
    reason: 'the sample with every option has 20 KB; whatever is larger was meant for someone else',
    onExcess: 'the file is refused by name, the server does not start',
  },
  config_includes: {
    value: 64,
    unit: 'count',
    reason: 'files one imapd.conf may pull in by @include',
    onExcess: 'the line with the @include beyond it is refused',
  },
  config_toml_depth: {
    value: 16,
    unit: 'levels',
    reason: 'arrays and inline tables inside each other; three levels are used',
    onExcess: 'the file is refused with the line',
  },
  config_findings: {
    value: 200,
    unit: 'count',
    reason: 'a file that is wrong from top to bottom would fill the journal',
    onExcess: 'the first ones are printed, then how many more there are',
  },

  // names and logins: what a mailbox or a user can be called and what an authentication may send.
  mailbox_name: {
    value: 1_024,
    unit: 'bytes',
    reason: 'names stand in indexes, logs and answers; clients show far less (FIELD: peers allow 255 to 512)',
    onExcess: 'NO [CANNOT], also for a RENAME that would lengthen a folder below beyond it',
  },
  mailbox_depth: {
    value: 32,
    unit: 'levels',
    reason: 'clients build a tree of the names, some of them recursively',
    onExcess: 'NO [CANNOT], also for a RENAME that would push a folder below beyond it',
  },
  sasl_response: {
    value: 8 << 10,
    unit: 'bytes',
    reason: 'one base64 line of an AUTHENTICATE exchange before anybody is known; Kerberos tickets fit',
    onExcess: 'the exchange fails with BAD, the connection and all others go on',
  },
  password_bytes: {
    value: 1_024,
    unit: 'bytes',
    reason: 'PLAIN must take 255 (RFC 4616 §2); more than this only costs hashing time',
    onExcess: 'answered like a wrong password',
  },
  login_failure_delay: {
    value: 2,
    unit: 'seconds',
    reason: 'slows guessing on one connection; nobody else waits. Cyrus pauses 3 s, Dovecot 2 s',
    onExcess: 'a failed authentication is answered this much later',
  },
  login_cache_seconds: {
    value: 60,
    unit: 'seconds',
    reason: 'webmail logs in for every page; a proved password need not be hashed again that soon',
    onExcess: 'the password is hashed again',
  },
  login_cache_entries: {
    value: 10_000,
    unit: 'count',
    reason: 'about 100 bytes each, per worker',
    onExcess: 'the oldest proof is forgotten',
  },
  ldap_connections: {
    value: 8,
    unit: 'count',
    reason: 'connections of a worker to a directory; each has one operation at a time',
    onExcess: 'a login waits for a free one, up to ldap_wait',
  },
  ldap_connect: {
    value: 3,
    unit: 'seconds',
    reason: 'a directory of the same site answers in milliseconds',
    onExcess: 'the next address is tried; without one the login is answered [UNAVAILABLE]',
  },
  ldap_operation: {
    value: 5,
    unit: 'seconds',
    reason: 'one lookup of one entry; Cyrus waits as long',
    onExcess: 'the connection is given up, the login is answered [UNAVAILABLE]',
  },
  ldap_wait: {
    value: 5,
    unit: 'seconds',
    reason: 'a slow directory must not pile up logins',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  ldap_failures: {
    value: 3,
    unit: 'count',
    reason: 'one lost connection is nothing, three in a row are a directory that is down',
    onExcess: 'the directory is left alone for ldap_pause, logins are answered [UNAVAILABLE] at once',
  },
  ldap_pause: {
    value: 5,
    unit: 'seconds',
    reason: 'short enough that nobody waits long for a directory that is back',
    onExcess: 'one login finds out whether the directory answers again',
  },
  digest_nonces: {
    value: 10_000,
    unit: 'count',
    reason:
      'logins by DIGEST-MD5 that may be followed by one without a challenge; about 300 bytes each, per worker',
    onExcess: 'the oldest is forgotten: its client is asked anew',
  },
  interface_lookup: {
    value: 2,
    unit: 'seconds',
    reason: 'a login waits for the name of our own address where virtdomains is on',
    onExcess: 'the domain of servername is used',
  },
  interface_cache_entries: {
    value: 256,
    unit: 'count',
    reason: 'one per address of this machine a client connected to',
    onExcess: 'the oldest is looked up again',
  },

  // lmtp: what a delivery may hold. Senders are our own MTAs, but one of them may be broken or borrowed.
  lmtp_line: {
    value: 4 << 10,
    unit: 'bytes',
    reason:
      'RFC 5321 §4.5.3.1.4 asks for 512, its extensions for a little more; rewritten senders (SRS) are long',
    onExcess: 'the rest of the line is dropped and answered with 500 5.5.2; before LHLO the connection ends',
  },
  lmtp_recipients: {
    value: 1_000,
    unit: 'count',
    reason:
      'each costs a lookup, and one delivery is one record of the log; Postfix sends 50, RFC 5321 wants 100',
    onExcess: 'RCPT is answered with 452 4.5.3, the client sends the rest in another transaction',
  },
  lmtp_header: {
    value: 256 << 10,
    unit: 'bytes',
    reason: 'the header is held until it ends, to know what is missing; Postfix passes on 100 KB at most',
    onExcess:
      'what was seen so far decides on Message-ID, Return-Path and hops; the rest goes straight through',
  },
  lmtp_hops: {
    value: 50,
    unit: 'count',
    reason: 'Received or Delivered-To fields of a message (RFC 5321 §6.3); Postfix stops at the same number',
    onExcess: 'the message is answered with 554 5.4.6',
  },
  lmtp_bad_commands: {
    value: 20,
    unit: 'count',
    reason:
      'commands of a connection that are unknown, malformed or out of order; a working client sends none',
    onExcess: '421 4.7.0 and the connection ends; before LHLO or AUTH the first unknown command ends it',
  },
  lmtp_idle: {
    value: 300,
    unit: 'seconds',
    reason: 'RFC 5321 §4.5.3.2.7: at least five minutes for the next command; Postfix reuses connections',
    onExcess: '421 4.4.2 and the connection ends, an unfinished message is forgotten',
  },
  lmtp_waiting_input: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'pipelined commands that arrive while a delivery is being made durable',
    onExcess: 'nothing more is read from the connection until the delivery is answered',
  },

  // net: what a stranger may hold before anybody knows who he is, and what a slow peer may make us keep.
  preauth_seconds: {
    value: 60,
    unit: 'seconds',
    reason:
      'from accept to authentication; a client that sends one byte a second would hold a place for ever',
    onExcess: 'the connection is told so in its protocol and closed',
  },
  preauth_per_address: {
    value: 50,
    unit: 'count',
    reason:
      'connections of one IPv4 address or IPv6 /64 that have not authenticated, per worker; not for loopback',
    onExcess: 'a further connection gets the busy line of its protocol instead of a greeting',
  },
  tls_handshake: {
    value: 30,
    unit: 'seconds',
    reason: 'a handshake is four packets; a peer that stops in it holds buffers of the TLS engine',
    onExcess: 'the connection is closed',
  },
  output_high_water: {
    value: 256 << 10,
    unit: 'bytes',
    reason:
      'output a connection holds before its protocol is asked to wait; a few round trips of a fast line',
    onExcess: 'write() answers false, the protocol awaits drain()',
  },
  output_stall: {
    value: 300,
    unit: 'seconds',
    reason:
      'a peer that takes nothing of what waits for it is gone or hostile; slow lines take some in five minutes',
    onExcess: 'the connection is closed',
  },
  close_linger: {
    value: 5,
    unit: 'seconds',
    reason: 'after the last answer the peer gets this long to take it and to close its side',
    onExcess: 'the connection is reset',
  },
});

/** The name of a row. */
export type LimitName = keyof typeof limits;
