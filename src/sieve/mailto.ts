/** mailto URIs (RFC 6068) as scripts name them for notifications (RFC 5436 §2.1). */
import { decodeHeader } from '../mime/encodedword.ts';
import { outboundAddress } from './address.ts';
import { fieldNameWrong } from './fieldname.ts';
import { printable } from './lexer.ts';
import { fromOctets } from './octets.ts';
import type { MailtoUri, NamedAddress } from './result.ts';

const TO = /^(?:[A-Za-z0-9._~!$'()*+,@:&=/-]|%[0-9A-Fa-f]{2})*$/;
const NAME = /^(?:[A-Za-z0-9._~!$'*+-]|%[0-9A-Fa-f]{2})+$/;
const VALUE = /^(?:[A-Za-z0-9._~!$'()*+,;:@/?-]|%[0-9A-Fa-f]{2})*$/;

/** A URI as octets, beginning with `mailto:`; or what is wrong with it. */
export function parseMailto(uri: string): MailtoUri | string {
  const rest = uri.slice('mailto:'.length).replace(/#.*$/, '');
  const question = rest.indexOf('?');
  const path = question < 0 ? rest : rest.slice(0, question);
  if (!TO.test(path)) return wrong(uri, 'a character that cannot stand before the "?"');
  const addresses = { to: [] as NamedAddress[], cc: [] as NamedAddress[], bcc: [] as NamedAddress[] };
  const bad = addTo(addresses.to, decode(path));
  if (bad !== null) return wrong(uri, bad);
  let subject: string | null = null;
  let body: string | null = null;
  const fields: [string, string][] = [];
  for (const field of question < 0 ? [] : rest.slice(question + 1).split('&')) {
    const equals = field.indexOf('=');
    const [rawName, rawValue] = [field.slice(0, equals), field.slice(equals + 1)];
    if (equals < 0 || !NAME.test(rawName)) return wrong(uri, 'no "name=value" where one must be');
    if (!VALUE.test(rawValue)) {
      return wrong(uri, `a character that cannot stand in the value of "${rawName}"`);
    }
    const name = decode(rawName).toLowerCase();
    const value = decode(rawValue);
    if (fieldNameWrong(name) !== null) {
      return wrong(uri, `"${printable(name)}", which is no name of a header field`);
    }
    if (name === 'to' || name === 'cc' || name === 'bcc') {
      const trouble = addTo(addresses[name], value);
      if (trouble !== null) return wrong(uri, trouble);
    } else if (name === 'subject') subject = fromOctets(value);
    else if (name === 'body') body = fromOctets(value);
    else fields.push([name, fromOctets(value)]);
  }
  return { ...addresses, subject, body, fields };
}

function wrong(uri: string, what: string): string {
  return `invalid mailto URI "${printable(uri.slice(0, 80))}": it has ${what}`;
}

function decode(text: string): string {
  return text.replace(
    /%([0-9A-Fa-f]{2})/g,
    (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Adds the addresses of a list; what is wrong with it, or null. */
function addTo(addresses: NamedAddress[], list: string): string | null {
  if (list.trim() === '') return null;
  for (const item of splitList(list)) {
    const outbound = outboundAddress(item);
    if (outbound === null) return `"${printable(item)}", which is no address`;
    const address = fromOctets(outbound.address);
    const name = outbound.phrase === null || outbound.phrase === '' ? null : decodeHeader(outbound.phrase);
    if (!addresses.some((known) => known.address === address)) addresses.push({ address, name });
  }
  return null;
}

/** The items between commas that stand in no quoted string. */
function splitList(list: string): string[] {
  const items: string[] = [];
  let [begin, quoted] = [0, false];
  for (let at = 0; at < list.length; at++) {
    const char = list[at];
    if (char === '"') quoted = !quoted;
    else if (quoted && char === '\\') at++;
    else if (char === ',' && !quoted) {
      items.push(list.slice(begin, at));
      begin = at + 1;
    }
  }
  items.push(list.slice(begin));
  return items;
}

/** The URI without addresses that were notified already, or that stand in it twice; null if none is left. */
export function withoutAddresses(uri: MailtoUri, notified: ReadonlySet<string>): MailtoUri | null {
  const known = new Set(notified);
  const fresh = (addresses: readonly NamedAddress[]): NamedAddress[] =>
    addresses.filter(({ address }) => {
      const before = known.size;
      known.add(address.toLowerCase());
      return known.size > before;
    });
  const [to, cc, bcc] = [fresh(uri.to), fresh(uri.cc), fresh(uri.bcc)];
  return to.length + cc.length + bcc.length === 0 ? null : { ...uri, to, cc, bcc };
}
