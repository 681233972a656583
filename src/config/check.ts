/** What must hold between options, whichever file they come from. */

import type { Finding } from './finding.ts';
import type { OptionName, OptionValues } from './options.ts';
import { formatListen, type Service } from './services.ts';

/** Where an option or a service was given, for messages. */
export interface Places {
  option(name: OptionName): Pick<Finding, 'file' | 'line' | 'key'>;
  service(name: string): Pick<Finding, 'file' | 'line' | 'key'>;
}

export interface Checked {
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Contradictions (problems) and settings without effect (warnings). */
export function checkTogether(values: OptionValues, services: readonly Service[], places: Places): Checked {
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const problem = (name: OptionName, text: string) => problems.push({ ...places.option(name), text });
  const warning = (name: OptionName, text: string) => warnings.push({ ...places.option(name), text });

  if (!Object.hasOwn(values.partition, values.defaultpartition)) {
    const there = Object.keys(values.partition).join(', ');
    problem('defaultpartition', `there is no partition "${values.defaultpartition}"; there is ${there}`);
  }
  const owners = new Map<string, string>([[values.configdirectory, 'configdirectory']]);
  for (const [name, path] of Object.entries(values.partition)) {
    const other = owners.get(path);
    if (other !== undefined) {
      problem('partition', `partition ${name} and ${other} have the same folder ${path}`);
    }
    owners.set(path, `partition ${name}`);
  }
  if (values.tls_server_key !== '' && values.tls_server_cert === '') {
    problem('tls_server_key', 'a key without a certificate: the certificate file is missing');
  }
  if (values.tls_client_ca_file === '' && values.tls_client_ca_dir === '') {
    const missing = 'no authority to check them against: tls.client_ca_file or client_ca_dir is missing';
    if (values.tls_client_certs === 'require') problem('tls_client_certs', missing);
    if (values.tls_client_certs === 'optional') warning('tls_client_certs', `has no effect: ${missing}`);
  }
  if (values.sendmail !== '' && values.smtp_backend === 'host') {
    warning(
      'sendmail',
      `has no effect while smtp.backend is "host": mail goes by SMTP to ${values.smtp_host}`,
    );
  }
  if (values.createonpost && values.autocreatequota === 0) {
    warning('createonpost', 'has no effect while autocreatequota is 0');
  }
  if (values.defaultdomain !== '' && values.virtdomains === 'off') {
    warning('defaultdomain', 'has no effect while virtdomains is off');
  }
  for (const folder of values.autosubscribeinboxfolders) {
    if (!values.autocreateinboxfolders.includes(folder)) {
      warning('autosubscribeinboxfolders', `the folder "${folder}" is not among those created`);
    }
  }
  if (values.altnamespace) {
    const separator = values.unixhierarchysep ? '/' : '.';
    for (const name of ['userprefix', 'sharedprefix'] as const) {
      if (values[name].includes(separator)) {
        problem(name, `is one level and cannot hold the separator "${separator}"`);
      }
      if (/^inbox$/i.test(values[name])) problem(name, 'INBOX is the mailbox of the user');
    }
    if (values.userprefix === values.sharedprefix) {
      problem('sharedprefix', 'is the same as userprefix; users could not be told from shared folders');
    }
  }
  checkSources(values, problem);
  checkServices(values, services, places, problems);
  return { problems, warnings };
}

/** What the sources of secrets need. */
function checkSources(values: OptionValues, problem: (name: OptionName, text: string) => void): void {
  const uses = (method: string) => values.sasl_pwcheck_method.includes(method);
  if (uses('auxprop') && values.sasl_auxprop_plugin.includes('ldapdb')) {
    if (values.sasl_ldapdb_uri.length === 0) {
      problem(
        'sasl_auxprop_plugin',
        'ldapdb needs the address of the directory: ldapdb.uri (sasl_ldapdb_uri) is missing',
      );
    }
    if (values.sasl_ldapdb_pw !== '' && values.sasl_ldapdb_pw_file !== '') {
      problem('sasl_ldapdb_pw_file', 'the password is given twice: by pw and by pw_file; keep one of them');
    }
  }
  if (uses('ldap')) {
    if (values.ldap_uri.length === 0) {
      problem(
        'sasl_pwcheck_method',
        'ldap needs the address of the directory: ldap.uri (ldap_uri) is missing',
      );
    }
    if (!/%[uU]/.test(values.ldap_filter + values.ldap_base)) {
      problem('ldap_filter', 'does not have the user in it: %u or %U is missing');
    }
  }
  if (values.pts_module === 'ldap') {
    if (values.ldap_uri.length === 0) {
      problem('pts_module', 'ldap needs the address of the directory: ldap.uri (ldap_uri) is missing');
    }
    if (values.ldap_member_method === 'filter' && values.ldap_member_base === '') {
      problem(
        'ldap_member_method',
        'needs to know where groups are: ldap.member_base (ldap_member_base) is missing',
      );
    }
  }
  if (values.ldap_bind_pw !== '' && values.ldap_bind_pw_file !== '') {
    problem(
      'ldap_bind_pw_file',
      'the password is given twice: by bind_pw and by bind_pw_file; keep one of them',
    );
  }
  if (values.smtp_auth_password !== '' && values.smtp_auth_password_file !== '') {
    problem(
      'smtp_auth_password_file',
      'the password is given twice: by auth_password and by auth_password_file; keep one of them',
    );
  }
  const jwt = values.oauth_jwks_file !== '' || values.oauth_jwks_url !== '';
  if (values.oauth_jwks_file !== '' && values.oauth_jwks_url !== '') {
    problem('oauth_jwks_file', 'the keys are given twice: by jwks_url and by jwks_file; keep one of them');
  }
  if (jwt && values.oauth_issuer === '') problem('oauth_issuer', 'is missing: who must have issued a token');
  if (jwt && values.oauth_audience.length === 0) {
    problem('oauth_audience', 'is missing: for whom a token must have been issued');
  }
  if (uses('passwd-file') && values.passwd_file === '') {
    problem('sasl_pwcheck_method', 'passwd-file needs a file: auth.passwd_file is missing');
  }
}

function checkServices(
  values: OptionValues,
  services: readonly Service[],
  places: Places,
  problems: Finding[],
): void {
  const problem = (service: Service, text: string) =>
    problems.push({ ...places.service(service.name), text });
  const taken = new Map<string, string>();
  for (const service of services) {
    if (service.tls && service.tls_server_cert === '' && values.tls_server_cert === '') {
      problem(
        service,
        'begins with TLS, but there is no certificate: tls.server_cert (tls_server_cert) is missing',
      );
    }
    if (service.tls_server_key !== '' && service.tls_server_cert === '') {
      problem(service, 'a key without a certificate: tls_server_cert is missing');
    }
    const authorities = service.tls_client_ca_file + service.tls_client_ca_dir + values.tls_client_ca_file +
      values.tls_client_ca_dir;
    if (service.tls_client_certs === 'require' && authorities === '') {
      problem(
        service,
        'asks for client certificates, but there is no authority: tls_client_ca_file is missing',
      );
    }
    if (service.proxy_protocol && values.proxy_networks.length === 0) {
      problem(
        service,
        'takes connections from proxies only, but there are none: server.proxy_networks is missing',
      );
    }
    const { listen } = service;
    const families = listen.kind === 'tcp'
      ? (listen.family === 'any' ? ['ipv4', 'ipv6'] : [listen.family])
      : ['unix'];
    if (listen.kind === 'tcp' && listen.port === 0) continue; // the system picks a free one each time
    for (const family of families) {
      const place = `${family} ${formatListen(listen)}`;
      const other = taken.get(place);
      if (other !== undefined && other !== service.name) {
        problem(service, `listens on ${formatListen(listen)} as ${other} does`);
        break;
      }
      taken.set(place, service.name);
    }
  }
}
