/**
 * The table of all options, the single source for the TOML loader, `config check`, `config reference`, the
 * commented sample and the translation of imapd.conf. To add an option, add a row in the file of its topic.
 */

import type { Option } from './option.ts';
import { authOptions } from './options/auth.ts';
import { backupOptions } from './options/backup.ts';
import { imapOptions } from './options/imap.ts';
import { ldapOptions } from './options/ldap.ts';
import { ldapdbOptions } from './options/ldapdb.ts';
import { lmtpOptions } from './options/lmtp.ts';
import { loginOptions } from './options/login.ts';
import { mailboxOptions } from './options/mailbox.ts';
import { notifyOptions } from './options/notify.ts';
import { oauthOptions } from './options/oauth.ts';
import { pop3Options } from './options/pop3.ts';
import { serverOptions } from './options/server.ts';
import { sieveOptions } from './options/sieve.ts';
import { sieveActionOptions } from './options/sieveactions.ts';
import { smtpOptions } from './options/smtp.ts';
import { storeOptions } from './options/store.ts';
import { tlsOptions } from './options/tls.ts';

export const options = {
  ...serverOptions,
  ...storeOptions,
  ...mailboxOptions,
  ...authOptions,
  ...loginOptions,
  ...ldapdbOptions,
  ...ldapOptions,
  ...oauthOptions,
  ...tlsOptions,
  ...imapOptions,
  ...pop3Options,
  ...lmtpOptions,
  ...sieveOptions,
  ...notifyOptions,
  ...sieveActionOptions,
  ...smtpOptions,
  ...backupOptions,
};

export type OptionName = keyof typeof options;

/** The value of every option, by its name. Sizes are bytes, durations seconds, modes numbers. */
export type OptionValues = {
  -readonly [Name in OptionName]: (typeof options)[Name] extends Option<infer Value> ? Value : never;
};

/** All rows in the order of the table, with the type of the value erased. */
export const optionRows: readonly (readonly [OptionName, Option<unknown>])[] = Object.keys(options)
  .map((name) => [name as OptionName, options[name as OptionName] as Option<unknown>]);
