/** What a reader sees of HTML, as text to be compared: one pass, total, no tree. */

import { atOnce, SLICE, type Slices } from '../slices.ts';

/** Elements that begin a new line where they begin and end. */
const BLOCKS: ReadonlySet<string> = new Set(
  ('address article aside blockquote br caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li ' +
    'main nav ol p pre section table tbody td tfoot th thead tr ul').split(' '),
);

/** Elements whose content nobody reads, and in which only their own end tag is one. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'title']);

/** U+00A0 to U+00FF by their names in HTML. */
const LATIN =
  ('nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot ' +
    'cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml ' +
    'Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig ' +
    'agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ' +
    'ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml').split(' ');

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN.map((name, i): [string, string] => [name, String.fromCharCode(0xa0 + i)]),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['euro', '€'],
  ['hellip', '…'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['bull', '•'],
  ['trade', '™'],
  ['zwnj', ''],
  ['zwj', ''],
]);

const LONGEST_ENTITY = 10;
/** With `&#` in front of it. */
const LONGEST_REFERENCE = LONGEST_ENTITY + 2;

/** The text of an HTML document: blanks as one space, lines where blocks begin. */
export function* htmlText(html: string): Slices<string> {
  const lines = new Lines();
  let out = '';
  let at = 0;
  let sliceEnd = SLICE;
  while (at < html.length) {
    if (at >= sliceEnd - LONGEST_REFERENCE) {
      lines.add(out);
      out = '';
      yield;
      sliceEnd = at + SLICE;
    }
    const open = html.indexOf('<', at);
    const end = open < 0 ? html.length : open;
    if (end > at) {
      const stop = sliceEnd >= end ? end : pieceEnd(html, sliceEnd);
      // Line ends of the source are blanks.
      out += decodeEntities(html.slice(at, stop).replace(/[\t\r\n\f]/g, ' '));
      at = stop;
      if (stop < end) continue;
    }
    if (open < 0) break;
    if (html.startsWith('<!--', open)) {
      const close = html.indexOf('-->', open + 4);
      at = close < 0 ? html.length : close + 3;
      continue;
    }
    const name = tagName(html, open);
    if (name === '') {
      // No tag, as in "a < b".
      out += '<';
      at = open + 1;
      continue;
    }
    at = tagEnd(html, open);
    if (HIDDEN.has(name)) at = rawEnd(html, at, name);
    else if (BLOCKS.has(name.startsWith('/') ? name.slice(1) : name)) out += '\n';
  }
  lines.add(out);
  return lines.end();
}

/** The same at once. */
export function htmlToText(html: string): string {
  return atOnce(htmlText(html));
}

/** Where a piece of text can end, at `wanted` or shortly before, without cutting a reference that means something. */
function pieceEnd(html: string, wanted: number): number {
  const start = wanted - LONGEST_REFERENCE;
  const reference = html.slice(start, wanted).lastIndexOf('&');
  return reference < 0 ? wanted : start + reference;
}

/** The name of the tag that begins at `open`, in lower case, with a slash before that of an end tag; '' if none begins there. */
function tagName(html: string, open: number): string {
  let at = open + 1;
  const first = html[at];
  // Declarations and processing instructions are tags that mean nothing.
  if (first === '!' || first === '?') return '!';
  if (first === '/') at++;
  const start = at;
  while (at < html.length && at - start < 16 && isNameChar(html.charCodeAt(at))) at++;
  const name = html.slice(start, at).toLowerCase();
  if (!/^[a-z]/.test(name)) return '';
  return first === '/' ? '/' + name : name;
}

function isNameChar(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 45 || c === 58;
}

/** Behind the `>` that ends the tag at `open`; one inside a quoted attribute value does not. */
function tagEnd(html: string, open: number): number {
  let quote = '';
  for (let at = open + 1; at < html.length; at++) {
    const c = html[at] as string;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '>') return at + 1;
    else if ((c === '"' || c === "'") && html[at - 1] === '=') quote = c;
  }
  return html.length;
}

/** Where the end tag of an element begins in which nothing else counts. */
function rawEnd(html: string, from: number, name: string): number {
  for (let at = html.indexOf('</', from); at >= 0; at = html.indexOf('</', at + 2)) {
    if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return at;
  }
  return html.length;
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#?)([0-9A-Za-z]+);?/g, (all, number: string, name: string) => {
    if (name.length > LONGEST_ENTITY) return all;
    if (number === '') return ENTITIES.get(name) ?? all;
    const code = /^[xX]/.test(name) ? parseInt(name.slice(1), 16) : parseInt(name, 10);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
      ? String.fromCodePoint(code)
      : all;
  });
}

/** One line end or one space where there were several, none at the ends. */
class Lines {
  readonly #done: string[] = [];
  /** What there is of the line that has not ended yet. */
  #line = '';

  add(text: string): void {
    const pieces = text.replaceAll('\u00a0', ' ').split('\n');
    for (let i = 0; i < pieces.length; i++) {
      if (i > 0) this.#finish();
      const piece = (pieces[i] as string).replace(/ +/g, ' ');
      this.#line += this.#line.endsWith(' ') && piece.startsWith(' ') ? piece.slice(1) : piece;
    }
  }

  end(): string {
    this.#finish();
    return this.#done.join('\n');
  }

  #finish(): void {
    const line = this.#line.trim();
    if (line !== '') this.#done.push(line);
    this.#line = '';
  }
}
