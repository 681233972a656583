/** A connection to an MTA, ready for a transaction: greeting, EHLO, TLS, login. */

import { channelOf } from '../../auth/channel.ts';
import { authenticate } from '../../auth/client/exchange.ts';
import type { ClientMechanism } from '../../auth/client/mechanism.ts';
import { CLIENT_MECHANISMS } from '../../auth/client/mechanisms.ts';
import { userError } from '../../errors.ts';
import type { Wire } from '../../net/wire.ts';
import { SmtpCommands } from './commands.ts';

/** What is said to the server before mail is. */
export interface SmtpManner {
  /** Our name in EHLO. */
  readonly clientName: string;
  /** The server's host name, '' for a program of this machine. */
  readonly host: string;
  /**
   * `required`: TLS with a certificate that holds, or no mail; `offered`: TLS where the server has it, whatever its certificate,
   * as a connection without it is no better (RFC 7435); `never`: on this machine it protects nothing.
   */
  readonly tls: 'required' | 'offered' | 'never';
  /** PEM of the authorities, without it those of the system. */
  readonly ca?: Buffer;
  /** Who to log in as; null for nobody. */
  readonly login: { readonly name: string; readonly password: string; readonly realm: string } | null;
}

export interface SmtpSession {
  readonly commands: SmtpCommands;
  readonly extensions: ReadonlyMap<string, string>;
}

/**
 * @throws MailError 'unavailable' where the connection breaks, 'cannot' where the server does not do what is wanted,
 *   'authenticationfailed' where it does not let us in
 */
export async function openSession(wire: Wire, manner: SmtpManner): Promise<SmtpSession> {
  const commands = new SmtpCommands({
    send: (text) => void wire.write(Buffer.from(`${text}\r\n`, 'latin1')),
    receive: () => wire.line(),
  }, `EHLO ${manner.clientName}`);
  await commands.ready();
  let extensions = await commands.hello();
  if (manner.tls !== 'never' && extensions.has('STARTTLS')) {
    await commands.startTls();
    const strict = manner.tls === 'required';
    await wire.startTls({ host: manner.host, strict, ...(manner.ca === undefined ? {} : { ca: manner.ca }) });
    // RFC 3207 §4.2: what was known before counts no more.
    extensions = await commands.hello();
  } else if (manner.tls === 'required') {
    throw userError('cannot', 'the server does not offer TLS, and smtp_host asks for it');
  }
  if (manner.login !== null) {
    await logIn(wire, commands, extensions.get('AUTH') ?? '', manner, manner.login);
    // RFC 4954 §4: a security layer begins anew; without one asking again does no harm.
    extensions = await commands.hello();
  }
  return { commands, extensions };
}

async function logIn(
  wire: Wire,
  commands: SmtpCommands,
  offer: string,
  manner: SmtpManner,
  login: NonNullable<SmtpManner['login']>,
): Promise<void> {
  const channel = channelOf(wire);
  const offered = offer.toUpperCase().split(' ');
  const open = channel.strength > 0 || manner.tls === 'never';
  const binds = channel.binding('tls-exporter') !== null || channel.binding('tls-unique') !== null;
  const mechanism = CLIENT_MECHANISMS.find((each) =>
    offered.includes(each.name) && takesPassword(each) &&
    (open || each.security.includes('NO_PLAINTEXT')) && (binds || !each.features.includes('CHANNEL_BINDING'))
  );
  if (mechanism === undefined) {
    throw userError(
      'cannot',
      open
        ? `the server offers no way to log in that is spoken here (AUTH ${offer})`
        : `the server offers only ways to log in that show the password, and there is no TLS (AUTH ${offer})`,
    );
  }
  const layer = await authenticate(commands, mechanism, {
    authcid: login.name,
    authzid: '',
    realm: login.realm,
    service: 'smtp',
    host: manner.host,
    password: () => Promise.resolve(login.password),
    layers: { least: 0, most: 128 },
    initial: true,
  }, channel);
  if (layer !== undefined) wire.protect(layer);
}

function takesPassword({ name }: ClientMechanism): boolean {
  return !/^(?:EXTERNAL|ANONYMOUS|OAUTHBEARER|XOAUTH2)$/.test(name);
}
