/**
 * BODYSTRUCTURE (RFC 9051 §7.5.2) piece by piece: what the header of a part says is rendered when the header has been
 * read, size and lines are put between when its end is known.
 */
import { imapString, nstring, upperAscii } from './nstring.ts';
import type { MimeFields } from './fields.ts';
import { type ContentType, type Parameters, parseDisposition } from './parameters.ts';

/** Transfer encodings as the structure notes them, so that a reader knows how to decode a part. */
export const ENCODINGS = ['7BIT', '8BIT', 'BINARY', 'BASE64', 'QUOTED-PRINTABLE'] as const;

/** One of `ENCODINGS`, or null for a word nobody knows. */
export type TransferEncoding = (typeof ENCODINGS)[number];

/** The encoding a Content-Transfer-Encoding value means; comments behind the word are ignored. */
export function transferEncoding(value: string | null): TransferEncoding | null {
  if (value === null) return '7BIT';
  const word = encodingWord(value);
  return ENCODINGS.find((known) => known === word) ?? (word === '' ? '7BIT' : null);
}

/** `"TYPE" "SUBTYPE" (params) id description "ENCODING" ` - body-fields up to the size, with the blank before it. */
export function renderBasic(type: ContentType, fields: MimeFields): string {
  const word = fields.encoding === null ? '' : encodingWord(fields.encoding);
  return imapString(type.type) + ' ' + imapString(type.subtype) + ' ' + renderParameters(type.parameters) +
    ' ' +
    nstring(fields.id) + ' ' + nstring(fields.description) + ' ' +
    (word === '' ? '"7BIT"' : imapString(word)) + ' ';
}

/** ` disposition language location`: the extension data that single parts and multiparts have in common. */
function renderExtension(fields: MimeFields): string {
  return ' ' + renderDisposition(fields.disposition) + ' ' + renderLanguage(fields.language) + ' ' +
    nstring(fields.location === null ? null : fields.location.replace(/[ \t]/g, ''));
}

/** body-ext-1part with the blank before it: ` md5 disposition language location`. */
export function renderSingleExtension(fields: MimeFields): string {
  if (
    fields.disposition === null && fields.language === null && fields.location === null && fields.md5 === null
  ) {
    return ' NIL NIL NIL NIL';
  }
  return ' ' + nstring(fields.md5) + renderExtension(fields);
}

/** What follows the children of a multipart: ` "SUBTYPE" (params) disposition language location`. */
export function renderMultipartEnd(type: ContentType, fields: MimeFields): string {
  return ' ' + imapString(type.subtype) + ' ' + renderParameters(type.parameters) + renderExtension(fields);
}

/** RFC 9051 §9: a multipart has at least one body; this one stands in where none was found. */
export const EMPTY_PART = '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 0 0 NIL NIL NIL NIL)';

function renderParameters(parameters: Parameters): string {
  if (parameters.length === 0) return 'NIL';
  let out = '(';
  for (let i = 0; i < parameters.length; i++) out += (i > 0 ? ' ' : '') + imapString(parameters[i] as string);
  return out + ')';
}

function renderDisposition(value: string | null): string {
  if (value === null) return 'NIL';
  const disposition = parseDisposition(value);
  if (disposition === null) return 'NIL';
  return '(' + imapString(disposition.kind) + ' ' + renderParameters(disposition.parameters) + ')';
}

/** A tag has some ten chars; nobody writes in a hundred languages. */
const LONGEST_LANGUAGES = 1024;

/** RFC 3282: a list of tags; one is a string, several are a list. */
function renderLanguage(value: string | null): string {
  if (value === null) return 'NIL';
  const tags = value.slice(0, LONGEST_LANGUAGES).replace(/\([^()]*\)/g, ' ').split(/[ \t,]+/).filter((tag) =>
    tag !== ''
  );
  if (tags.length === 0) return 'NIL';
  return tags.length === 1 ? imapString(tags[0] as string) : '(' + tags.map(imapString).join(' ') + ')';
}

function encodingWord(value: string): string {
  let start = 0;
  while (start < value.length && (value.charCodeAt(start) <= 32 || value[start] === '"')) start++;
  let end = start;
  while (end < value.length && value.charCodeAt(end) > 32 && !'(;"'.includes(value[end] as string)) end++;
  return upperAscii(value.slice(start, end));
}
