/**
 * For whom a client's certificate stands: only for whom the administrator's rules say. A certificate that was signed by
 * the right authority names nobody by itself.
 *
 * Invariants
 * 1. The names are taken from the certificate's own bytes, not from a text somebody else has made of them: a NUL, a line
 *    end or a comma in a name is what it is, and none of them is ever cut off.
 * 2. A name is used whole or not at all: UTF-8 without control characters, and where a common name is asked for there is
 *    exactly one.
 */

import { createHash } from '../crypto.ts';
import type { CertificateRule } from '../config/externalrules.ts';
import { syntaxError } from '../errors.ts';
import { type Element, elements, first, only, SEQUENCE } from '../net/der.ts';

/** Names in a certificate, as they stand there; null for one that cannot be used. */
export interface CertificateNames {
  /** subject, attribute commonName (RFC 5280 §4.1.2.6). */
  readonly commonNames: readonly (string | null)[];
  /** subjectAltName, rfc822Name (RFC 5280 §4.2.1.6). */
  readonly emails: readonly (string | null)[];
}

/** The login name a certificate (DER) stands for: that of the first rule that says one; null for nobody. */
export function certificateUser(der: Uint8Array, rules: readonly CertificateRule[]): string | null {
  if (rules.length === 0) return null;
  let names: CertificateNames;
  try {
    names = certificateNames(der);
  } catch {
    return null;
  }
  const fingerprint = createHash('sha256').update(der).digest('hex');
  for (const rule of rules) {
    if (rule.source === 'sha256') {
      if (rule.fingerprint === fingerprint) return rule.template;
      continue;
    }
    // Two common names are a riddle, not a choice.
    const candidates = rule.source === 'email'
      ? names.emails
      : names.commonNames.length === 1
      ? names.commonNames
      : [];
    for (const name of candidates) {
      const user = name === null ? null : applyRule(rule, name);
      if (user !== null && user !== '') return user;
    }
  }
  return null;
}

/** Longest name a pattern is held against: a login name has no more, and a pattern may be slow. */
const LONGEST = 256;

function applyRule({ pattern, template }: CertificateRule, name: string): string | null {
  if (name.length > LONGEST) return null;
  if (pattern === null) return name;
  const match = pattern.exec(name);
  if (match === null) return null;
  return (template ?? '').replace(/\$(\d)/g, (_all, digit: string) => match[Number(digit)] ?? '');
}

/** Universal and context tags (X.690). */
const SET = 0x31;
const OID = 0x06;
const OCTETS = 0x04;
const BMP_STRING = 0x1e;
const STRINGS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x14, 0x16]);
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);
const SUBJECT_ALT_NAME = Buffer.from([0x55, 0x1d, 0x11]);
const RFC822_NAME = 0x81;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/**
 * The names in a certificate.
 * @throws MailError 'badsyntax' for what is no certificate
 */
export function certificateNames(der: Uint8Array): CertificateNames {
  const certificate = only(der, SEQUENCE);
  const tbs = first(certificate, SEQUENCE);
  const fields = elements(tbs.content);
  const from = fields[0]?.tag === VERSION ? 1 : 0;
  // serialNumber, signature, issuer, validity, subject (RFC 5280 §4.1).
  const subject = fields[from + 4];
  if (subject === undefined || subject.tag !== SEQUENCE) throw syntaxError('a certificate without a subject');
  const commonNames: (string | null)[] = [];
  for (const set of elements(subject.content)) {
    if (set.tag !== SET) throw syntaxError('a subject that is none');
    for (const attribute of elements(set.content)) {
      const [type, value] = elements(attribute.content);
      if (type?.tag === OID && COMMON_NAME.equals(type.content) && value !== undefined) {
        commonNames.push(textOf(value));
      }
    }
  }
  const emails: (string | null)[] = [];
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS);
  if (extensions !== undefined) {
    for (const extension of elements(only(extensions.content, SEQUENCE))) {
      const [type, ...rest] = elements(extension.content);
      if (type?.tag !== OID || !SUBJECT_ALT_NAME.equals(type.content)) continue;
      const value = rest.find(({ tag }) => tag === OCTETS);
      if (value === undefined) throw syntaxError('an extension without a value');
      for (const name of elements(only(value.content, SEQUENCE))) {
        if (name.tag === RFC822_NAME) emails.push(clean(Buffer.from(name.content), true));
      }
    }
  }
  return { commonNames, emails };
}

function textOf({ tag, content }: Element): string | null {
  const bytes = Buffer.from(content);
  if (tag === BMP_STRING) {
    return bytes.length % 2 === 0 ? clean(Buffer.from(bytes.swap16().toString('utf16le')), false) : null;
  }
  return STRINGS.has(tag) ? clean(bytes, false) : null;
}

/** A name without control characters, valid UTF-8 or, where it must be, ASCII; null for any other. */
function clean(bytes: Buffer, ascii: boolean): string | null {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
  // deno-lint-ignore no-control-regex
  if (text === '' || /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(text)) {
    return null;
  }
  // deno-lint-ignore no-control-regex
  return ascii && /[^\x20-\x7e]/.test(text) ? null : text;
}
