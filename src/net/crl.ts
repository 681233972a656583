/** Lists of revoked certificates (RFC 5280 §5): whose they are and how long they hold. */

import { syntaxError } from '../errors.ts';
import { type Element, elements, first, only, SEQUENCE } from './der.ts';

export interface RevocationList {
  /** The issuer's name, DER without its outermost tag. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: Date;
  /** When OpenSSL stops to believe it, and every certificate of the issuer; null for never. */
  readonly nextUpdate: Date | null;
}

const INTEGER = 0x02;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const VERSION = 0xa0;

/** @throws MailError 'badsyntax' for what is no list */
export function revocationList(der: Uint8Array): RevocationList {
  const fields = elements(first(only(der, SEQUENCE), SEQUENCE).content);
  // version, signature, issuer, thisUpdate, nextUpdate (§5.1); the first and the last can be missing.
  const from = fields[0]?.tag === INTEGER ? 1 : 0;
  const [, issuer, thisUpdate, nextUpdate] = fields.slice(from);
  if (issuer?.tag !== SEQUENCE || thisUpdate === undefined) throw syntaxError('a list without an issuer');
  const hasNext = nextUpdate?.tag === UTC_TIME || nextUpdate?.tag === GENERALIZED_TIME;
  return {
    issuer: issuer.content,
    thisUpdate: time(thisUpdate),
    nextUpdate: hasNext ? time(nextUpdate) : null,
  };
}

/** The subject of a certificate, in the form of `RevocationList.issuer`. @throws MailError 'badsyntax' */
export function subjectOf(der: Uint8Array): Uint8Array {
  const fields = elements(first(only(der, SEQUENCE), SEQUENCE).content);
  // serialNumber, signature, issuer, validity, subject (§4.1), behind a version where it is not the first.
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  if (subject?.tag !== SEQUENCE) throw syntaxError('a certificate without a subject');
  return subject.content;
}

/** §4.1.2.5: always with seconds, always GMT; two digits of a year are those from 1950 to 2049. */
function time({ tag, content }: Element): Date {
  const text = Buffer.from(content).toString('latin1');
  const [, year = '', rest = ''] =
    (tag === UTC_TIME ? /^(\d{2})(\d{10})Z$/ : tag === GENERALIZED_TIME ? /^(\d{4})(\d{10})Z$/ : /^(?!)/)
      .exec(text) ?? [];
  if (year === '') throw syntaxError('a time that is none');
  const full = year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`;
  const [month, day, hour, minute, second] = rest.match(/../g) as string[];
  const date = new Date(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(date.getTime())) throw syntaxError('a time that is none');
  return date;
}
