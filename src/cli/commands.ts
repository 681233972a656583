/** The commands of the executable. One row per command; its file is loaded only when it runs. */

/** What the file of a command exports. */
export interface CommandModule {
  /**
   * Runs the command with its arguments (without its name); resolves to the exit code by sysexits(3). A thrown
   * MailError is printed as `mailstore NAME: text` and becomes the exit code that fits.
   */
  run(args: readonly string[]): Promise<number>;
}

interface CommandEntry {
  /** One line for `mailstore --help`. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    summary: 'run the server in the foreground',
    load: () => import('./serve.ts'),
  },
  deliver: {
    summary: 'deliver the message on standard input to users of the running store',
    load: () => import('./deliver.ts'),
  },
  user: {
    summary: 'add, change, list and remove users with passwords in the store',
    load: () => import('./user.ts'),
  },
  saslpasswd2: {
    summary: 'set or remove a password (the options of Cyrus SASL)',
    load: () => import('./saslpasswd2.ts'),
  },
  sasldblistusers2: {
    summary: 'list the users with a password in the store (the lines of Cyrus SASL)',
    load: () => import('./sasldblistusers2.ts'),
  },
  ptdump: {
    summary: 'print the groups users are in, for ACLs',
    load: () => import('./ptdump.ts'),
  },
  ptexpire: {
    summary: 'report how long groups of users are kept',
    load: () => import('./ptexpire.ts'),
  },
  mailbox: {
    summary: 'create, delete, rename and list mailboxes; quotas, rights, undelete',
    load: () => import('./mailbox.ts'),
  },
  config: {
    summary: 'check, show or translate the configuration; explain its options',
    load: () => import('./config.ts'),
  },
  tls_prune: {
    summary: 'say how long TLS sessions live; there is nothing to remove',
    load: () => import('./tls_prune.ts'),
  },
  check: {
    summary: 'compare index, log, spool and quota; report damage',
    load: () => import('./check.ts'),
  },
  reconstruct: {
    summary: "build users' indexes anew from snapshot and log, or from the message files",
    load: () => import('./reconstruct.ts'),
  },
  cyr_expire: {
    summary: 'remove expunged messages, deleted mailboxes and old Message-IDs for good',
    load: () => import('./cyr_expire.ts'),
  },
  ctl_deliver: {
    summary: 'show or forget what duplicate suppression remembers',
    load: () => import('./ctl_deliver.ts'),
  },
  backup: {
    summary: 'back up the store while it runs; list, verify and prune backups',
    load: () => import('./backup.ts'),
  },
  restore: {
    summary: 'bring back the whole store, or what a user lost, from a backup',
    load: () => import('./restore.ts'),
  },
  export: {
    summary: "write a user's mail to Maildir or mbox files",
    load: () => import('./export.ts'),
  },
  pluginviewer: {
    summary: 'list mechanisms and sources of secrets, and why one is not offered',
    load: () => import('./pluginviewer.ts'),
  },
  imtest: {
    summary: 'log in to a server by IMAP and show the dialogue',
    load: async () => (await import('./imtest.ts')).moduleOf('imtest'),
  },
  pop3test: {
    summary: 'log in to a server by POP3 and show the dialogue',
    load: async () => (await import('./imtest.ts')).moduleOf('pop3test'),
  },
  lmtptest: {
    summary: 'log in to a server by LMTP and show the dialogue',
    load: async () => (await import('./imtest.ts')).moduleOf('lmtptest'),
  },
  smtptest: {
    summary: 'log in to a server by SMTP and show the dialogue',
    load: async () => (await import('./imtest.ts')).moduleOf('smtptest'),
  },
  sivtest: {
    summary: 'log in to a server by ManageSieve and show the dialogue',
    load: async () => (await import('./imtest.ts')).moduleOf('sivtest'),
  },
  sieve: {
    summary: 'check, run and test Sieve scripts; take over those of a Cyrus server',
    load: () => import('./sieve.ts'),
  },
  sieveshell: {
    summary: "manage a user's Sieve scripts on a server",
    load: () => import('./sieveshell.ts'),
  },
  installsieve: {
    summary: "put a user's Sieve script on a server",
    load: () => import('./installsieve.ts'),
  },
  notifytest: {
    summary: 'hand a notification to notifyd',
    load: () => import('./notifytest.ts'),
  },
  sievec: {
    summary: 'compile a Sieve script to a file (the name Cyrus gave it)',
    load: () => import('./sievec.ts'),
  },
  sieved: {
    summary: 'show a compiled Sieve script (the name Cyrus gave it)',
    load: () => import('./sieved.ts'),
  },
  masssievec: {
    summary: 'check all Sieve scripts of a Cyrus server (the name Cyrus gave it)',
    load: () => import('./masssievec.ts'),
  },
  translatesieve: {
    summary: 'write mailbox names in Sieve scripts with slashes (the name Cyrus gave it)',
    load: () => import('./translatesieve.ts'),
  },
  install: {
    summary: 'put executable, unit, user, folders and configuration in place',
    load: () => import('./install.ts'),
  },
  uninstall: {
    summary: 'take away what install put in place; mail and configuration stay',
    load: () => import('./uninstall.ts'),
  },
};
