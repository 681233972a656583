/**
 * The keys of Cyrus's imapd.conf (2.3 to 3.12) that have no option here: why they are not needed, or that what
 * they configure is not there yet. Whatever is neither here nor in the table of options is unknown.
 */

/** What becomes of a key without an option. */
export interface Absent {
  /**
   * `unneeded`: nothing is lost. `later`: what it configures is not there; a warning. `refused`: leaving it out
   * would let in or keep out others than it says; the server does not start.
   */
  readonly outcome: 'unneeded' | 'later' | 'refused';
  readonly text: string;
  /** The value is a password: never printed, and the file must be private. */
  readonly secret: boolean;
}

interface Group {
  readonly outcome: Absent['outcome'];
  readonly text: string;
  /** Keys, separated by blanks; a * at the end stands for any ending, at the start for any beginning. */
  readonly keys: string;
}

/** Looked through in order: exact keys of a later group come after patterns of an earlier one. */
const groups: readonly Group[] = [
  // What decides who gets in. Leaving one of these out would change that.
  {
    outcome: 'later',
    text: 'shutting out single users (user_deny.db) is not there yet',
    keys: 'userdeny_db*',
  },
  { outcome: 'refused', text: 'a read-only server is not there yet', keys: 'readonly replicaonly' },

  // Ways to authenticate and their particulars. The way itself (sasl_pwcheck_method, sasl_auxprop_plugin,
  // sasl_mech_list) decides whether the server starts; these only describe it.
  {
    outcome: 'unneeded',
    text: 'the embedded secrets stand in the store; add users by "mailstore user add"',
    keys: 'sasl_sasldb_path',
  },
  {
    outcome: 'later',
    text: 'is not there; the certificates of ldapdb are named by ca_file, cert_file and key_file in TOML',
    keys: 'sasl_ldapdb_rc sasl_ldapdb_canon_attr',
  },
  { outcome: 'later', text: 'secrets in an SQL database are not there yet', keys: 'sasl_sql_*' },
  {
    outcome: 'later',
    text: 'asking authdaemond is not there',
    keys: 'sasl_authdaemond_path',
  },
  {
    outcome: 'later',
    text: 'Kerberos and GSSAPI are not there yet',
    keys: 'sasl_keytab srvtab afspts_* ptskrb5_* sasl_gssapi_* krbtgt_ttl',
  },
  {
    outcome: 'unneeded',
    text: 'groups of a directory are looked up by the server itself and kept in memory',
    keys: 'ptscache_db ptscache_db_path ptloader_sock pts_ptloader_* ptloader_*',
  },
  {
    outcome: 'unneeded',
    text: 'groups come from where pts_module and unix_group_enable say',
    keys: 'auth_mech',
  },
  {
    outcome: 'unneeded',
    text: 'the time and the number of answers a directory is waited for are bounded',
    keys: 'ldap_time_limit ldap_timeout ldap_size_limit ldap_restart ldap_version ldap_deref ldap_referrals',
  },
  {
    outcome: 'later',
    text: "the directory's certificate is always checked: name its authority by ldap_tls_cacert_file",
    keys: 'ldap_verify_peer ldap_tls_check_peer',
  },
  {
    outcome: 'later',
    text: 'is no particular of the section ldap',
    keys: 'pts_* ldap_*',
  },
  { outcome: 'later', text: 'HTTP tokens are not there yet', keys: 'http_jwt_*' },
  {
    outcome: 'later',
    text: 'what a client is told after a login in plain text cannot be set',
    keys: 'plaintextloginalert',
  },
  { outcome: 'later', text: 'particulars of SASL are not there', keys: 'sasl_*' },

  // Rooms that are not built yet.
  {
    outcome: 'unneeded',
    text: 'scripts stand in the store; "mailstore sieve import FOLDER" brings those of a sievedir',
    keys: 'sievedir',
  },
  {
    outcome: 'unneeded',
    text: 'scripts stand in the store; "mailstore sieve import --home" brings those of homes',
    keys: 'sieveusehomedir',
  },
  {
    outcome: 'unneeded',
    text: 'ManageSieve refers those to another server whom sieve.referrals names',
    keys: 'sieve_allowreferrals',
  },
  {
    outcome: 'unneeded',
    text: 'ManageSieve tells its capabilities when RFC 5804 says so',
    keys: 'sieve_sasl_send_unsolicited_capability',
  },
  {
    outcome: 'unneeded',
    text: 'scripts are compiled when they are needed, and kept so in memory',
    keys: 'generate_compiled_sieve_script autocreate_sieve_script_compile autocreate_sieve_script_compiled ' +
      'autocreate_sieve_compiled_script autocreate_sieve_compiledscript',
  },
  {
    outcome: 'unneeded',
    text: "scripts stand in their owner's index",
    keys: 'sieve_folder',
  },
  {
    outcome: 'later',
    text: 'this particular of Sieve is not there',
    keys: 'sieve_* rfc3028_strict',
  },
  {
    outcome: 'later',
    text: 'this particular of sending mail is not there',
    keys: 'sendmail_auth_id smtp_* srs_*',
  },
  {
    outcome: 'later',
    text: 'notifications of events (RFC 5423) are not there yet',
    keys: 'event_* imipnotifier',
  },
  { outcome: 'later', text: 'NNTP is not there yet', keys: 'news* nntp* allownewnews' },
  {
    outcome: 'later',
    text: 'searching by an index is not there yet',
    keys: 'search_* defaultsearchtier searchpartition-* sphinx_* squatter_*',
  },
  {
    outcome: 'later',
    text: 'replication is not there yet',
    keys: 'sync_* debug_log_sync_partition_choice guid_mode replication_*',
  },
  {
    outcome: 'later',
    text: 'a murder of several servers is not there yet',
    keys: 'mupdate_* proxyd_* proxy_* defaultserver serverlist serverlist_* hostname_* allowusermoves ' +
      'disconnect_on_vanished_mailbox backend_*',
  },
  {
    outcome: 'later',
    text: 'backups are not there yet',
    keys: 'backup_* backuppartition-* restore_* xbackup_enabled',
  },
  {
    outcome: 'later',
    text: 'calendars, contacts and JMAP are not there',
    keys:
      'caldav_* calendar_* calendarprefix carddav_* addressbookprefix dav* webdav_* jmap* http* icalendar_* ' +
      'ischedule_* vcard_* zoneinfo_* rss_* websocket_* aps_* fastmailsharing',
  },
  { outcome: 'later', text: 'metrics for Prometheus are not there yet', keys: 'prometheus_*' },
  { outcome: 'later', text: 'threads over all mailboxes are not there yet', keys: 'conversations*' },
  {
    outcome: 'later',
    text: 'a second place for old messages is not there yet',
    keys: 'archive_* archivepartition-* caringo_* openio_* object_storage_*',
  },
  {
    outcome: 'later',
    text: 'choosing among several partitions is not there; defaultpartition takes the new mailboxes',
    keys: 'partition_select_*',
  },
  {
    outcome: 'later',
    text: 'annotations cannot be configured yet',
    keys:
      'annotation_definitions annotation_callout* annotation_allow_undefined annotation_enable_legacy_commands',
  },
  { outcome: 'later', text: 'scanning for viruses is not there yet', keys: 'virusscan_*' },

  // Particulars of rooms that are there.
  {
    outcome: 'later',
    text: 'which users and folders are created by themselves cannot be narrowed yet',
    keys: 'autocreate_users autocreate_acl autocreatequotamsg autocreate_quota_messages',
  },
  {
    outcome: 'later',
    text: 'subscribing new users to shared folders is not there yet',
    keys: 'autosubscribesharedfolders autosubscribe_all_sharedfolders autocreate_subscribe_sharedfolders*',
  },
  {
    outcome: 'later',
    text: 'the rights of new mailboxes are fixed: the owner has them all',
    keys: 'defaultacl implicit_owner_rights deleteright anyoneuseracl allowsetacl admins_get_internal_seen ' +
      'acl_admin_implies_write',
  },
  {
    outcome: 'later',
    text: 'mail for users that are not there is answered with 550',
    keys: 'lmtp_catchall_mailbox postspec lmtp_exclude_specialuse',
  },
  {
    outcome: 'later',
    text: 'warnings by kilobytes or messages left are not there; quotawarn counts percent',
    keys: 'quotawarnkb quotawarnsize quotawarnmsg',
  },
  {
    outcome: 'later',
    text: 'the names of the server cannot be hidden further than serverinfo does',
    keys: 'imapidresponse suppress_capabilities',
  },
  {
    outcome: 'later',
    text: 'other domains and users are always shown by their own prefix',
    keys: 'crossdomains crossdomains_onlyother disable_shared_namespace disable_user_namespace',
  },
  {
    outcome: 'later',
    text: 'recording what clients send is not there yet',
    keys: 'telemetry_bysessionid iolog chatty',
  },
  { outcome: 'later', text: 'there is no key exchange by finite fields', keys: 'tls_server_dhparam' },
  {
    outcome: 'later',
    text: 'special folders follow RFC 6154 without settings of their own',
    keys: 'specialuse_* specialusealways xlist-* allowspecialusesubfolder',
  },
  {
    outcome: 'later',
    text: 'logging goes to standard error and the journal; loglevel chooses what',
    keys: 'syslog_* auditlog logtimestamps debug debug_*',
  },
  { outcome: 'later', text: 'keepalive cannot be set', keys: 'tcp_keepalive*' },
  {
    outcome: 'later',
    text: 'how long a command may take is not configured',
    keys: 'commandmintimer client_timeout',
  },
  { outcome: 'later', text: 'how much is expired by the clock is fixed', keys: 'expire_*' },
  { outcome: 'later', text: 'expunging by itself is not there', keys: 'autoexpunge' },

  // What Cyrus needs for the way it is built, and this store does not.
  {
    outcome: 'unneeded',
    text: 'there is one kind of database, its place follows from configdirectory',
    keys: '*_db *_db_path cyrusdb_autoconvert skiplist_* improved_mboxlist_sort statuscache duplicate_db* ' +
      'sql_database sql_engine sql_hostnames sql_passwd sql_user sql_usessl annotation_db*',
  },
  {
    outcome: 'unneeded',
    text: 'clients keep the sessions of TLS themselves, in tickets',
    keys: 'tls_sessions_* tlscache_*',
  },
  {
    outcome: 'unneeded',
    text: 'clients are told of changes at once, without polling or a daemon',
    keys: 'imapidlepoll imapidletimeout idlesocket idlemethod',
  },
  {
    outcome: 'unneeded',
    text: 'a message is always stored once for all its recipients',
    keys: 'singleinstancestore',
  },
  {
    outcome: 'unneeded',
    text: 'the folders of the spool need no further hashing',
    keys: 'fulldirhash mboxname_* mailbox_legacy_dirs metapartition_files metapartition-*',
  },
  {
    outcome: 'unneeded',
    text: 'files of the store are always readable by its user alone',
    keys: 'umask lock_debugtime global_lock fatals_abort proc_path temp_path',
  },
  {
    outcome: 'unneeded',
    text: 'seen marks are kept with the mailbox, in the same transaction',
    keys: 'flushseenstate seenstate_*',
  },
  {
    outcome: 'unneeded',
    text: 'deleted mailboxes are kept apart, without a prefix',
    keys: 'deletedprefix allowdeleted',
  },
  { outcome: 'unneeded', text: 'the socket is named in SERVICES', keys: 'lmtpsocket' },
  {
    outcome: 'unneeded',
    text: 'there is no master process with files of its own',
    keys: 'master_* cyrus_prefix',
  },
  {
    outcome: 'unneeded',
    text: 'every limit of what a client may send is built in',
    keys:
      'maxquoted maxword maxliteral maxargssize maxheaderlines boundary_limit uidbatches_* conversations_max_*',
  },
  {
    outcome: 'unneeded',
    text: 'messages are stored as they came',
    keys: 'rfc2046_strict rfc2047_utf8',
  },
  {
    outcome: 'unneeded',
    text: 'listing follows the standard',
    keys: 'foolstupidclients ignorereference allowallsubscribe',
  },
  {
    outcome: 'unneeded',
    text: 'literals are always taken without waiting where they are small',
    keys: 'literalminus imapmagicplus',
  },
  {
    outcome: 'unneeded',
    text: 'the addresses of recipients are read as the standards say',
    keys: 'lmtp_strict_rfc2821',
  },
  {
    outcome: 'unneeded',
    text: 'a message that does not fit into the quota is never taken',
    keys: 'lmtp_strict_quota',
  },
  {
    outcome: 'unneeded',
    text: 'nothing in mailstore reads it',
    keys: 'altprefix netscapeurl reverseacls reverseuniqueids lmtptxn_timeout lmtp_preparse notesmailbox ' +
      'submitservers soft_noauth mailbox_* quota_use_conversations delete_unsubscribe ' +
      'force_sasl_client_mech client_bind client_bind_name tls_client_cert tls_client_key tls_server_ca_dir ' +
      'imap_inprogress_interval',
  },
];

const exact = new Map<string, Group>();
const patterns: { readonly start: string; readonly end: string; readonly group: Group }[] = [];
for (const group of groups) {
  for (const key of group.keys.split(' ')) {
    const [start = '', end] = key.split('*');
    if (end === undefined) exact.set(key, exact.get(key) ?? group);
    else patterns.push({ start, end, group });
  }
}

const secrets = /(?:^|_)(?:pw|passwd|password|secrets|secret)$/;

/** Values of a refused key that ask for nothing. */
const harmless = /^(?:0|no|n|off|f|false|optional)$/i;

/**
 * What is to be said about a key without an option; undefined for a key nobody knows. With a value that leaves
 * off what is not there, nothing is refused.
 */
export function explainAbsent(key: string, value = ''): Absent | undefined {
  const group = exact.get(key) ??
    patterns.find(({ start, end }) =>
      key.startsWith(start) && key.endsWith(end) && key.length >= start.length + end.length
    )
      ?.group;
  if (group === undefined) return undefined;
  const outcome = group.outcome === 'refused' && harmless.test(value) ? 'unneeded' : group.outcome;
  return { outcome, text: group.text, secret: isSecret(key) };
}

/** True for keys whose value is a password. */
export function isSecret(key: string): boolean {
  return secrets.test(key);
}

/** All keys that are explained one by one, for the nearest name of a mistyped one. */
export function absentKeys(): Iterable<string> {
  return exact.keys();
}
