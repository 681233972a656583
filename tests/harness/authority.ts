/** A certificate authority for tests, by openssl: it issues, revokes and publishes what it has revoked. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  /** As -subj takes it: /CN=django; empty for a subject without anything. */
  readonly subject?: string;
  /** DNS:…, email:… */
  readonly names?: readonly string[];
  readonly key?: 'ec' | 'rsa' | 'rsa1024';
  /** Days from now to the end; negative for one that is over. */
  readonly days?: number;
  /** The authority's own chain in the file, behind the certificate. */
  readonly chain?: boolean;
  readonly authority?: boolean;
}

const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
  rsa1024: ['-newkey', 'rsa:1024'],
} as const;

function openssl(...args: readonly string[]): void {
  const ended = spawnSync('openssl', args, { encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${ended.stderr}`);
}

export class Authority {
  readonly folder: string;
  /** Its own certificate. */
  readonly cert: string;
  readonly key: string;
  readonly crl: string;
  readonly #config: string;

  /** A root, or below another authority one that it has signed. */
  constructor(folder: string, name: string, above?: Authority) {
    this.folder = join(folder, name);
    mkdirSync(this.folder);
    this.crl = join(this.folder, 'crl.pem');
    this.#config = join(this.folder, 'ca.cnf');
    writeFileSync(join(this.folder, 'index.txt'), '');
    writeFileSync(join(this.folder, 'crlnumber'), '01\n');
    writeFileSync(
      this.#config,
      `[ca]\ndefault_ca = this\n[this]\ndatabase = ${this.folder}/index.txt\ncrlnumber = ${this.folder}/crlnumber\n` +
        'default_md = sha256\ndefault_crl_days = 30\n',
    );
    if (above === undefined) {
      this.cert = join(this.folder, 'ca.pem');
      this.key = join(this.folder, 'ca.key');
      const made = ['-nodes', '-days', '30', '-subj', `/CN=${name}`, '-keyout', this.key, '-out', this.cert];
      openssl('req', '-x509', ...KEYS.ec, ...made);
    } else {
      const own = above.issue(name, { subject: `/CN=${name}`, authority: true });
      this.cert = own.cert;
      this.key = own.key;
    }
  }

  issue(name: string, wanted: Wanted = {}): Issued {
    const { subject = `/CN=${name}`, names = [], key = 'ec', days = 20, authority = false } = wanted;
    const file = (ending: string) => join(this.folder, `${name}.${ending}`);
    const config = file('cnf');
    const extensions = [
      `basicConstraints = CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(names.length === 0 ? [] : [`subjectAltName = ${names.join(',')}`]),
    ];
    writeFileSync(config, `[req]\ndistinguished_name = dn\n[dn]\n[ext]\n${extensions.join('\n')}\n`);
    openssl(
      ...['req', '-config', config, ...KEYS[key], '-nodes', '-subj', subject === '' ? '/' : subject, '-utf8'],
      ...['-keyout', file('key'), '-out', file('csr')],
    );
    openssl(
      ...['x509', '-req', '-in', file('csr'), '-CA', this.cert, '-CAkey', this.key, '-CAcreateserial'],
      ...['-days', String(days), '-extfile', config, '-extensions', 'ext', '-out', file('pem')],
    );
    return { cert: file('pem'), key: file('key') };
  }

  /** Revokes a certificate and publishes the list anew. */
  revoke(cert: string): void {
    openssl('ca', '-config', this.#config, '-keyfile', this.key, '-cert', this.cert, '-revoke', cert);
    this.publish();
  }

  /** Writes the list of what was revoked; `options` as of openssl ca: -crlhours 1. */
  publish(...options: readonly string[]): void {
    openssl(
      ...[
        'ca',
        '-config',
        this.#config,
        '-keyfile',
        this.key,
        '-cert',
        this.cert,
        '-gencrl',
        ...options,
        '-out',
        this.crl,
      ],
    );
  }
}
