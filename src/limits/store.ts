import { rows } from './limit.ts';

/** Store: what one owner or one request may make the store hold. */
export const storeLimits = rows({
  store_open_indexes: {
    value: 200,
    unit: 'count',
    reason:
      'an open index costs about 200 KB and 3 file descriptors; opening one again costs half a millisecond',
    onExcess: 'the longest unused index is closed',
  },
  store_first_indexes: {
    value: 32,
    unit: 'count',
    reason:
      'of the open indexes those of owners who read nothing for a while before: clients that log in and wait read once',
    onExcess: 'the one opened first is closed, and kept like others when it is opened again',
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
  store_marks: {
    value: 10_000,
    unit: 'count',
    reason: 'vacation replies and duplicates of one owner that are remembered, about 100 bytes each',
    onExcess: 'those that end first are forgotten',
  },
  store_snoozed: {
    value: 2_000,
    unit: 'count',
    reason:
      'messages of one owner that sleep, about 300 bytes each beside them; they are read when one of them wakes',
    onExcess: 'the message is filed at once',
  },
  store_mark_key: {
    value: 1_024,
    unit: 'bytes',
    reason: 'kind and key of a mark; whoever sets one makes a hash of what is longer',
    onExcess: 'the delivery fails',
  },
  store_metadata_name: {
    value: 1_024,
    unit: 'bytes',
    reason: 'names of metadata entries are paths of a few words',
    onExcess: 'SETMETADATA answers BAD',
  },
  store_metadata_value: {
    value: 64 * 1024,
    unit: 'bytes',
    reason: 'a comment or a setting of a client; what is larger is mail',
    onExcess: 'SETMETADATA answers NO [METADATA MAXSIZE]',
  },
  store_metadata_entries: {
    value: 200,
    unit: 'count',
    reason: 'shared entries of one mailbox, or private ones of one user in it: LIST returns them',
    onExcess: 'SETMETADATA answers NO [METADATA TOOMANY]',
  },
  store_metadata: {
    value: 20_000,
    unit: 'count',
    reason: 'entries in all mailboxes of one owner, whoever set them',
    onExcess: 'SETMETADATA answers NO [METADATA TOOMANY]',
  },
  store_script_name: {
    value: 512,
    unit: 'bytes',
    reason: '128 characters of up to four bytes, which RFC 5804 §1.6 demands',
    onExcess: 'PUTSCRIPT and RENAMESCRIPT answer NO',
  },
  store_script_size: {
    value: 1024 * 1024,
    unit: 'bytes',
    reason:
      'whatever sieve_maxscriptsize says: a script is read and checked as a whole, and stands in one log record',
    onExcess: 'PUTSCRIPT answers NO (QUOTA/MAXSIZE)',
  },
  store_scripts: {
    value: 1_000,
    unit: 'count',
    reason: 'whatever sieve_maxscripts says: LISTSCRIPTS reads them all',
    onExcess: 'PUTSCRIPT answers NO (QUOTA/MAXSCRIPTS)',
  },
  backup_request: {
    value: 120,
    unit: 'seconds',
    reason: 'an S3 service answers within seconds; a part of 5 MB over a line of 1 MBit/s takes 40',
    onExcess: 'the request is made again a few times, then the backup fails and the next one goes on with it',
  },
});
