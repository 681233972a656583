import { rows } from './limit.ts';

/** Names and logins: what a mailbox or a user can be called and what an authentication may send. */
export const authLimits = rows({
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
  login_failure_pause: {
    value: 30,
    unit: 'seconds',
    reason:
      'the pause after a wrong password doubles from the fourth on; clients give up after a minute of silence',
    onExcess: 'the pause grows no further',
  },
  login_ledger_entries: {
    value: 20_000,
    unit: 'count',
    reason:
      'users, networks, and users in networks whose wrong passwords are counted; about 300 bytes each, once',
    onExcess: 'the one that was of no interest for the longest time is forgotten',
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
  ldap_idle: {
    value: 60,
    unit: 'seconds',
    reason: 'packet filters forget connections nobody uses, the strict ones after some minutes',
    onExcess: 'the next login makes a new connection',
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
  authd_line: {
    value: 16 << 10,
    unit: 'bytes',
    reason: 'one request of an MTA about a login: a response of sasl_response bytes, addresses, and names',
    onExcess: 'the connection is closed',
  },
  authd_requests: {
    value: 1_000,
    unit: 'count',
    reason: 'exchanges that one process of an MTA has under way at a time',
    onExcess: 'the connection is closed',
  },
  checker_processes: {
    value: 4,
    unit: 'count',
    reason:
      'hashes of crypt(3) and PAM wait; a process of a worker for each that does so at a time, 3 MB each',
    onExcess: 'the next password waits for one of them',
  },
  checker_queue: {
    value: 1_000,
    unit: 'count',
    reason: 'logins of a morning; a password waits here without a connection being held up',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  checker_seconds: {
    value: 30,
    unit: 'seconds',
    reason: 'modules of PAM delay failures and ask others; longer than that is a module that hangs',
    onExcess: 'its process is killed, the login is answered [UNAVAILABLE]',
  },
  hash_kinds: {
    value: 4,
    unit: 'count',
    reason:
      'each wrong password costs a hash of every kind its source has; users come from one system or two',
    onExcess:
      'users whose hash is of a further kind can be told from unknown ones by the time a wrong password takes',
  },
  saslauthd_connections: {
    value: 64,
    unit: 'count',
    reason: 'saslauthd has five processes by default, the rest waits there',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  saslauthd_seconds: {
    value: 10,
    unit: 'seconds',
    reason: 'what it asks itself may have a time limit of its own',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  passwd_file_bytes: {
    value: 64 << 20,
    unit: 'bytes',
    reason: 'a million users; the file is held in memory by every worker',
    onExcess: 'logins that need it are answered [UNAVAILABLE], the log says so',
  },
  groups_entries: {
    value: 10_000,
    unit: 'count',
    reason: 'users whose groups a worker knows; some hundred bytes each',
    onExcess: 'the one that logged in longest ago is asked for anew at its next login',
  },
  groups_of_user: {
    value: 1_000,
    unit: 'count',
    reason: 'more groups than anybody is in; each is an identifier to compare with every ACL',
    onExcess: 'it counts as a directory that cannot tell, and the log says so',
  },
  groups_grace: {
    value: 86_400,
    unit: 'seconds',
    reason: 'a directory that is down over night takes no shared folders away; one that is gone does',
    onExcess: 'the user is in no group until the directory answers',
  },
  oauth_seconds: {
    value: 5,
    unit: 'seconds',
    reason: 'a login waits for the identity provider',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  oauth_bytes: {
    value: 256 << 10,
    unit: 'bytes',
    reason: 'keys or an answer of an identity provider; those of the large ones have a few KB',
    onExcess: 'counts as a provider that does not answer',
  },
  oauth_connections: {
    value: 32,
    unit: 'count',
    reason: 'questions of a worker to the identity provider at a time',
    onExcess: 'the login is answered [UNAVAILABLE]',
  },
  oauth_refused_seconds: {
    value: 5,
    unit: 'seconds',
    reason:
      'a client that repeats a token which is not good at once; one that becomes good is not kept out for long',
    onExcess: 'the identity provider is asked again',
  },
  oauth_cache_entries: {
    value: 10_000,
    unit: 'count',
    reason:
      'tokens an identity provider called good, and as many it did not; some hundred bytes each, per worker',
    onExcess: 'the oldest is asked about again',
  },
  jwks_keys: {
    value: 100,
    unit: 'count',
    reason: 'providers have two or three',
    onExcess: 'counts as a provider that does not answer',
  },
  jwks_life: {
    value: 600,
    unit: 'seconds',
    reason: 'a key that was withdrawn is not believed for longer',
    onExcess: 'the keys are fetched anew; where that fails, the known ones stay',
  },
  jwks_pause: {
    value: 30,
    unit: 'seconds',
    reason: 'tokens that name keys which are not there must not become a flood of questions',
    onExcess: 'the token is refused without asking',
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
});
