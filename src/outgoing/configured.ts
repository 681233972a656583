/** The way out a configuration names. */

import { readFileSync } from 'node:fs';
import { SMTP_HOST } from '../config/options/smtp.ts';
import { firstLine } from '../config/passwordfile.ts';
import { portOf } from '../config/ports.ts';
import type { Settings } from '../config/settings.ts';
import { serverError } from '../errors.ts';
import type { Mailer } from './envelope.ts';
import { SmtpMailer } from './smtp/mailer.ts';
import type { SmtpManner } from './smtp/open.ts';

/** The port for mail that is submitted, where the configuration names none (RFC 6409 §3.1). */
const SUBMISSION = 587;

/** @throws MailError 'config' for a port nobody knows */
export function configuredMailer(settings: Settings): Mailer {
  const common = { clientName: settings.servername };
  if (settings.smtp_backend === 'sendmail') {
    return new SmtpMailer({ program: settings.sendmail || '/usr/sbin/sendmail', args: ['-bs'] }, () => ({
      ...common,
      host: '',
      tls: 'never',
      login: null,
    }));
  }
  const { host, port, flags } = parseHost(settings.smtp_host);
  const local = /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
  const manner = (): SmtpManner => ({
    ...common,
    host,
    tls: flags.includes('tls') ? 'required' : local ? 'never' : 'offered',
    ...(settings.smtp_ca_file === '' ? {} : { ca: readFileSync(settings.smtp_ca_file) }),
    login: settings.smtp_auth_authname === '' || flags.includes('noauth') ? null : {
      name: settings.smtp_auth_authname,
      password: passwordOf(settings),
      realm: settings.smtp_auth_realm,
    },
  });
  return new SmtpMailer({ host, port }, manner);
}

function parseHost(text: string): { host: string; port: number; flags: readonly string[] } {
  const match = SMTP_HOST.exec(text);
  const service = match?.[3] ?? String(SUBMISSION);
  const port = /^\d+$/.test(service) ? Number(service) : portOf(service);
  if (match === null || port === undefined || port < 1 || port > 65_535) {
    throw serverError(`smtp.host: "${text}" names no port that is known here`, undefined, 'config');
  }
  return { host: match[1] ?? match[2] ?? '', port, flags: (match[4] ?? '').split('/') };
}

function passwordOf({ smtp_auth_password, smtp_auth_password_file }: Settings): string {
  return smtp_auth_password_file === ''
    ? smtp_auth_password
    : firstLine('smtp.auth_password_file', smtp_auth_password_file);
}
