/** What is wrong, or soon will be, with the certificates a configuration names: for `config check`. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { Settings } from '../config/settings.ts';
import { asMailError } from '../errors.ts';
import { namesOf } from './tls.ts';
import { list, pemBlocks, readCertificate, tlsFiles, type TlsSettings } from './tlsfiles.ts';
import { checkCertificate } from './tlscheck.ts';

export interface CertificateFinding {
  readonly file: string;
  readonly text: string;
  /** The server does not start with it, or no client can use it; else a warning. */
  readonly problem: boolean;
}

/** Days before its end from which a certificate is warned of. */
const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** RSA keys below are taken for weak (RFC 9325 §4.5). */
const RSA_BITS = 2048;

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Of a service as such, not chosen by a name of its own: it should name the server. */
  readonly main: boolean;
}

/** The certificates a configuration names, each with its key. */
function pairs(settings: TlsSettings): Pair[] {
  const found = tlsFiles(settings).flatMap(({ certs, keys, ca }) =>
    certs.map((cert, index) => ({ cert, key: keys[index] ?? cert, ca, main: true }))
  );
  for (const { server_cert, server_key } of settings.tls_certificate) {
    const keys = list(server_key);
    list(server_cert).forEach((cert, index) =>
      found.push({ cert, key: keys[index] ?? cert, ca: settings.tls_client_ca_file, main: false })
    );
  }
  return found.filter((pair, index) =>
    found.findIndex(({ cert, key }) => cert === pair.cert && key === pair.key) === index
  );
}

/** Everything there is to say of the certificates, file by file. */
export function checkCertificates(
  settings: TlsSettings & Pick<Settings, 'servername'>,
  now: Date = new Date(),
): CertificateFinding[] {
  return pairs(settings).flatMap((pair) => checkPair(pair, settings.servername, now));
}

function checkPair({ cert, key, ca, main }: Pair, servername: string, now: Date): CertificateFinding[] {
  const findings: CertificateFinding[] = [];
  const say = (text: string, problem: boolean, file = cert) => void findings.push({ file, text, problem });
  let chain: X509Certificate[];
  try {
    // The chain as it is sent, completed by what stands among the authorities.
    const read = readCertificate(cert, key, ca);
    checkCertificate(read);
    chain = pemBlocks(read.cert).map((pem) => new X509Certificate(pem));
  } catch (thrown) {
    const error = asMailError(thrown);
    const unreadable = (error.cause as { code?: string } | undefined)?.code === 'EACCES';
    const [file = cert, ...text] = error.message.split(': ');
    say(text.join(': '), !unreadable, file);
    return findings;
  }
  const [leaf] = chain as [X509Certificate];
  chain.forEach((each, index) =>
    checkDates(each, index === 0 ? 'it' : `its issuer ${nameOf(each)}`, now, say)
  );
  const details = leaf.publicKey.asymmetricKeyDetails;
  if (leaf.publicKey.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) < RSA_BITS) {
    say(`has a weak key: RSA with ${details?.modulusLength} bits; make one with at least ${RSA_BITS}`, false);
  }
  if (main && !namesOf(leaf.toString()).some((name) => covers(name, servername.toLowerCase()))) {
    say(
      `does not name ${servername} (servername); clients that connect by that name will not trust it`,
      false,
    );
  }
  checkChain(chain, ca, say);
  return findings;
}

type Say = (text: string, problem: boolean) => void;

function checkDates(x509: X509Certificate, what: string, now: Date, say: Say): void {
  const [from, to] = [new Date(x509.validFrom), new Date(x509.validTo)];
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const its = what === 'it' ? '' : `${what} `;
  if (to <= now) say(`${its}expired on ${day(to)}`, true);
  else if (from > now) say(`${its}is not valid before ${day(from)}`, true);
  else if (to.getTime() - now.getTime() < SOON_DAYS * DAY_MS) {
    say(`${its}expires on ${day(to)}, in ${Math.floor((to.getTime() - now.getTime()) / DAY_MS)} days`, false);
  }
}

/** Each certificate is to be followed by that of its issuer (RFC 8446 §4.4.2), up to one that clients know. */
function checkChain(chain: readonly X509Certificate[], ca: string, say: Say): void {
  const issuedBy = (one: X509Certificate, other: X509Certificate) =>
    one.checkIssued(other) && one.verify(other.publicKey);
  for (const [index, each] of chain.entries()) {
    if (issuedBy(each, each)) {
      if (index < chain.length - 1) {
        say('holds certificates behind a self-signed one; nobody needs them', false);
      }
      return;
    }
    const next = chain[index + 1];
    if (next !== undefined && issuedBy(each, next)) continue;
    if (chain.some((other) => other !== each && issuedBy(each, other))) {
      say(
        `the chain is out of order: ${nameOf(each)} is not followed by its issuer ${nameOf(each, 'issuer')}`,
        false,
      );
    } else if (next !== undefined) {
      say(`the chain is broken: ${nameOf(next)} is not the issuer of ${nameOf(each)}`, false);
    } else if (!isKnown(each, ca)) {
      say(
        `the chain is incomplete: ${nameOf(each, 'issuer')}, the issuer of ${
          nameOf(each)
        }, neither stands behind it nor ` +
          'is an authority everybody knows',
        false,
      );
    }
    return;
  }
}

/** Whether the issuer is a public root, or one of our own authorities. */
function isKnown(x509: X509Certificate, ca: string): boolean {
  const own = ca === '' ? [] : pemBlocks(readFileSync(ca, 'utf8'));
  return [...own, ...rootCertificates].some((pem) => x509.checkIssued(new X509Certificate(pem)));
}

/** The common name, or whatever stands there. */
function nameOf(x509: X509Certificate, of: 'subject' | 'issuer' = 'subject'): string {
  return JSON.stringify(/^CN=(.+)$/m.exec(x509[of])?.[1] ?? x509[of].replaceAll('\n', ', '));
}

function covers(name: string, host: string): boolean {
  if (name === host) return true;
  const dot = host.indexOf('.');
  return name.startsWith('*.') && dot > 0 && name.slice(1) === host.slice(dot);
}
