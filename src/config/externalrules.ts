/** Whom the layers below SASL stand for: rules for client certificates, and for the peers of unix sockets. */

import { bad, good, type Parsed } from './kinds/kind.ts';

/** One rule: what is looked at, and whose login that gives. */
export interface CertificateRule {
  readonly source: 'email' | 'cn' | 'sha256';
  /** What the whole name must look like; null for any. */
  readonly pattern: RegExp | null;
  /** The login name, with $1, $2 … of the pattern; null for the name itself. */
  readonly template: string | null;
  /** Of the certificate, lower case hex. */
  readonly fingerprint: string;
}

/** Reads `email`, `cn`, `email PATTERN -> USER`, `cn PATTERN -> USER`, `sha256 FINGERPRINT -> USER`. */
export function parseCertificateRule(text: string): Parsed<CertificateRule> {
  const [, source = '', between = '', user] = /^(\w+)(?: +(.*?))?(?: +-> +(\S+))?$/.exec(text.trim()) ?? [];
  if (source === 'sha256') {
    const fingerprint = between.replaceAll(':', '').toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(fingerprint) || user === undefined) {
      return bad('expected "sha256 FINGERPRINT -> USER" with 64 hexadecimal digits');
    }
    return good({ source, pattern: null, template: user, fingerprint });
  }
  if (source !== 'email' && source !== 'cn') return bad('a rule begins with email, cn or sha256');
  if ((between === '') !== (user === undefined)) {
    return bad(`expected "${source}" alone or "${source} PATTERN -> USER"`);
  }
  if (between === '') return good({ source, pattern: null, template: null, fingerprint: '' });
  try {
    return good({
      source,
      pattern: new RegExp(`^(?:${between})$`, 'u'),
      template: user ?? null,
      fingerprint: '',
    });
  } catch (thrown) {
    return bad(`the pattern is no regular expression: ${(thrown as Error).message}`);
  }
}

/** A system user and whose login that is. */
export interface PeerRule {
  readonly account: string;
  readonly user: string;
}

/** Reads `ACCOUNT -> USER`. */
export function parsePeerRule(text: string): Parsed<PeerRule> {
  const [, account, user] = /^([^\s:]+) +-> +(\S+)$/.exec(text.trim()) ?? [];
  return account === undefined || user === undefined
    ? bad('expected "ACCOUNT -> USER" with a user of the system and one of the store')
    : good({ account, user });
}

/** The rules in a list that was checked when the configuration was read. */
export function readRules<T>(texts: readonly string[], parse: (text: string) => Parsed<T>): T[] {
  return texts.flatMap((text) => {
    const parsed = parse(text);
    return parsed.ok ? [parsed.value] : [];
  });
}
