/** `mailstore pluginviewer`: which ways to log in there are, and which of them this configuration offers. */

import { existsSync } from 'node:fs';
import { CLIENT_MECHANISMS } from '../auth/client/mechanisms.ts';
import { MECHANISMS } from '../auth/mechanisms.ts';
import { type Offer, offerOf } from '../auth/offer.ts';
import { auxpropPlugins, checkMethods } from '../config/options/auth.ts';
import { type Command, processIo } from './command.ts';
import { type Arguments, defaultConfig, parseArgs, settingsFrom, usageError } from './options.ts';
import { describeOffer, describeSources } from './pluginviewer/offer.ts';
import { listMechanisms, listSources } from './pluginviewer/plugins.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: pluginviewer [-a] [-s] [-c] [-m MECHS] [--config FILE | -C FILE [-M FILE]]

Lists what there is to log in with, as the tool of Cyrus SASL does: without -a, -s and -c all of it. With a
configuration it also says what that offers, and why a mechanism is not offered.

  -a, --auxprop           sources of secrets
  -s, --server            mechanisms of the server
  -c, --client            mechanisms of the client (imtest, ldapdb)
  -m, --mechanisms MECHS  only these mechanisms, separated by spaces or commas
      --config FILE       the configuration; /etc/mailstore/mailstore.toml, where there is one, unless given
  -C, --imapd-conf FILE   an imapd.conf of Cyrus instead
  -M, --cyrus-conf FILE   the cyrus.conf that goes with it
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 78 wrong configuration.
`;

const commandArguments = {
  auxprop: { short: 'a' },
  server: { short: 's' },
  client: { short: 'c' },
  mechanisms: { short: 'm', value: 'MECHS' },
  config: { value: 'FILE' },
  imapdConf: { short: 'C', value: 'FILE' },
  cyrusConf: { short: 'M', value: 'FILE' },
  help: { short: 'h' },
} as const;

export const pluginviewerCommand: Command = {
  name: 'pluginviewer',
  summary: 'list mechanisms and sources of secrets, and why one is not offered',
  usage,
  run(args, io) {
    const { options, operands: [odd] } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (odd !== undefined) throw usageError(`pluginviewer takes no "${odd}"`);
    const offer = configuredOffer(options);
    const wanted = filterOf(options.mechanisms);
    const all = !options.auxprop && !options.server && !options.client;
    if (all || options.auxprop) {
      io.stdout(listSources(auxpropPlugins, checkMethods));
      if (offer !== null) io.stdout(describeSources(offer));
    }
    if (all || options.server) {
      io.stdout(listMechanisms('server', MECHANISMS.filter(({ name }) => wanted(name))));
      if (offer !== null) io.stdout(describeOffer(offer, wanted));
    }
    if (all || options.client) {
      io.stdout(listMechanisms('client', CLIENT_MECHANISMS.filter(({ name }) => wanted(name))));
    }
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return pluginviewerCommand.run(args, processIo());
}

/** What the configuration offers; null where none is named and none is in its place. */
function configuredOffer(options: Arguments<typeof commandArguments>): Offer | null {
  const named = options.config ?? options.imapdConf ?? options.cyrusConf;
  if (named === undefined && !existsSync(defaultConfig)) return null;
  return offerOf(settingsFrom(options).settings);
}

/** @throws MailError 'badsyntax' for a mechanism there is not */
function filterOf(list: string | undefined): (name: string) => boolean {
  if (list === undefined) return () => true;
  const names = list.toUpperCase().split(/[\s,]+/).filter((name) => name !== '');
  const known = [...MECHANISMS, ...CLIENT_MECHANISMS].map(({ name }) => name);
  const odd = names.find((name) => !known.includes(name));
  if (odd !== undefined) throw usageError(`there is no mechanism ${odd}`);
  return (name) => names.includes(name);
}
