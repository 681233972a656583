/** The settings everything is run by: a value for every option of the table, the services and the events. */

import { hostname } from 'node:os';
import { type OptionName, optionRows, type OptionValues } from './options.ts';
import { NO_OWN_TLS, type ScheduledEvent, type Service } from './services.ts';

/** Property names are the option names (imapd.conf's keys); sizes in bytes, durations in seconds. */
export type Settings = Readonly<OptionValues> & {
  readonly services: readonly Service[];
  readonly events: readonly ScheduledEvent[];
};

/** The value every option has when the configuration does not name it. */
export function defaultValues(source: 'toml' | 'imapd.conf' = 'toml'): OptionValues {
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const [name, row] of optionRows) {
    const fromCyrus = source === 'imapd.conf' && row.imapdDefault !== undefined;
    values[name] = fromCyrus ? row.imapdDefault : row.default;
  }
  return values as OptionValues;
}

/** The services a configuration has that names none: IMAP, IMAP with TLS where there is a certificate, LMTP. */
export function defaultServices(values: OptionValues): readonly Service[] {
  const common = {
    maxchild: 0,
    proxy_protocol: false,
    trusted: false,
    ...NO_OWN_TLS,
  };
  const tcp = (port: number) => ({ kind: 'tcp', host: '', port, family: 'any' }) as const;
  const services: Service[] = [{ ...common, name: 'imap', protocol: 'imap', tls: false, listen: tcp(143) }];
  if (values.tls_server_cert !== '') {
    services.push({ ...common, name: 'imaps', protocol: 'imap', tls: true, listen: tcp(993) });
  }
  services.push({
    ...common,
    name: 'lmtpunix',
    protocol: 'lmtp',
    tls: false,
    trusted: true,
    listen: {
      kind: 'unix',
      path: `${values.configdirectory}/socket/lmtp`,
      mode: values.lmtp_socket_mode,
      owner: values.lmtp_socket_owner,
      group: values.lmtp_socket_group,
    },
  });
  return services;
}

/** The events a configuration has that names none: a checkpoint every half hour, expiry at four, before it a backup. */
export function defaultEvents(values: Pick<OptionValues, 'backup_target'>): readonly ScheduledEvent[] {
  const backup: ScheduledEvent = { name: 'backup', job: 'backup', when: { kind: 'at', hour: 2, minute: 30 } };
  return [
    ...(values.backup_target === '' ? [] : [backup]),
    { name: 'checkpoint', job: 'checkpoint', when: { kind: 'every', seconds: 30 * 60 } },
    { name: 'expire', job: 'expire', when: { kind: 'at', hour: 4, minute: 0 } },
  ];
}

/** Fills in what follows from the machine or from other values. */
export function completeValues(values: OptionValues): void {
  if (values.servername === '') values.servername = hostname();
  // As in Cyrus, one file can hold certificate and key.
  if (values.tls_server_key === '') values.tls_server_key = values.tls_server_cert;
}

/**
 * Settings as if an empty configuration had been read, with some values replaced. For tests and for tools that
 * run without a file. `servername` is the host name of the machine unless given.
 */
export function makeSettings(
  given: Partial<OptionValues> & { services?: readonly Service[]; events?: readonly ScheduledEvent[] } = {},
): Settings {
  const { services, events, ...values } = given;
  const complete: OptionValues = { ...defaultValues(), ...values };
  completeValues(complete);
  return {
    ...complete,
    services: services ?? defaultServices(complete),
    events: events ?? defaultEvents(complete),
  };
}
