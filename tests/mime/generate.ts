/** Random MIME messages that know where their parts are and what their BODYSTRUCTURE is. */
import type { Data } from './list.ts';
import type { Random } from './random.ts';

/** A part as it was written; offsets count bytes from the beginning of the message. */
export interface MadePart {
  header: [start: number, end: number];
  body: [start: number, end: number];
  kind: 'leaf' | 'multipart' | 'message';
  children: MadePart[];
  structure: Data[];
}

export interface MadeMessage {
  readonly text: string;
  readonly root: MadePart;
}

/** Makes a message; line ends are CRLF or, throughout, bare LF. */
export function makeMessage(random: Random): MadeMessage {
  const writer = new Writer(random, random.once(4) ? '\n' : '\r\n');
  const root = writer.entity(0, true, 'TEXT/PLAIN');
  return { text: writer.text, root };
}

const WORDS = [
  'alpha',
  'beta',
  '--',
  '--=',
  '-- ',
  'From here',
  '',
  ' ',
  'x'.repeat(90),
  '\xe4\xf6',
  '=20',
  'a: b',
];

class Writer {
  text = '';
  #boundaries = 0;
  readonly #random: Random;
  readonly #eol: string;

  constructor(random: Random, eol: string) {
    this.#random = random;
    this.#eol = eol;
  }

  /** Writes header and body. `fallback` is the type without a Content-Type field. */
  entity(depth: number, message: boolean, fallback: string): MadePart {
    const random = this.#random;
    const part: MadePart = {
      header: [this.text.length, 0],
      body: [0, 0],
      kind: 'leaf',
      children: [],
      structure: [],
    };
    let envelope: Data = null;
    if (message) envelope = this.#messageFields();
    const choice = depth > 5 ? 3 + random.below(4) : random.below(8);
    if (choice < 2) this.#multipart(part, depth);
    else if (choice === 2) this.#message(part, depth);
    else this.#leaf(part, fallback, depth);
    if (message) part.structure.push(envelope);
    return part;
  }

  #messageFields(): Data {
    const random = this.#random;
    const subject = random.pick([
      null,
      'plain',
      'with "quotes" and \\',
      'gr\xfc\xdfe',
      '=?utf-8?q?=C3=A4?=',
      '',
    ]);
    const date = random.pick([null, 'Mon, 7 Feb 1994 21:52:25 -0800 (PST)', 'nonsense']);
    const id = random.pick([null, '<a.b@c>', '<@>']);
    const names = random.pick([null, 'X <a@b.example>, c@d']);
    if (subject !== null) this.#field('subject', subject);
    if (names !== null) this.#field('From', names);
    if (date !== null) this.#field('DATE', date);
    if (id !== null) this.#field('Message-Id', id);
    const from: Data = names === null ? null : [['X', null, 'a', 'b.example'], [null, null, 'c', 'd']];
    return [date, subject, from, from, from, null, null, null, null, id];
  }

  #field(name: string, value: string): void {
    const random = this.#random;
    if (random.once(5)) this.text += 'X-Other: ' + random.pick(WORDS) + this.#eol;
    // Folding at a blank: the blank stays (RFC 5322 §2.2.3).
    const folded = random.once(3) ? value.replace(' ', this.#eol + ' ') : value;
    this.text += `${name}:${random.pick(['', ' ', '\t '])}${folded}${this.#eol}`;
  }

  #endHeader(part: MadePart): void {
    if (this.#random.once(4)) this.#field('X-Last', 'y');
    this.text += this.#eol;
    part.header[1] = part.body[0] = this.text.length;
  }

  #leaf(part: MadePart, fallback: string, depth: number): void {
    const random = this.#random;
    let [type, subtype] = fallback.split('/') as [string, string];
    let parameters: Data = type === 'TEXT' ? ['CHARSET', 'us-ascii'] : null;
    if (fallback === 'MESSAGE/RFC822' || random.once(2)) {
      const made = random.pick(['text/html', 'image/png', 'text/x-y', 'application/octet-stream', 'x-a/b.c']);
      [type, subtype] = made.toUpperCase().split('/') as [string, string];
      parameters = random.once(2) ? null : ['NAME', 'a "b"; \\c', 'SIZE', '12'];
      this.#field('content-TYPE', made + (parameters === null ? '' : '; name="a \\"b\\"; \\\\c" ; Size=12'));
    }
    const encoding = random.pick([null, 'base64', 'Quoted-Printable', 'x-odd']);
    if (encoding !== null) this.#field('Content-Transfer-Encoding', encoding);
    const id = random.pick([null, '<1@x>']);
    if (id !== null) this.#field('Content-ID', id);
    const description = random.pick([null, 'some words', 'w\xf6rter']);
    if (description !== null) this.#field('Content-Description', description);
    const extension = this.#extension();
    const md5 = random.pick([null, 'Q2hlY2sgSW50ZWdyaXR5IQ==']);
    if (md5 !== null) this.#field('Content-MD5', md5);
    this.#endHeader(part);
    this.#lines(depth === 0 && random.once(3) ? 40 : 4);
    part.body[1] = this.text.length;
    const size = part.body[1] - part.body[0];
    part.structure = [type, subtype, parameters, id, description, (encoding ?? '7bit').toUpperCase(), size];
    if (type === 'TEXT') part.structure.push(this.#count(part));
    part.structure.push(md5, ...extension);
  }

  #extension(): Data[] {
    const random = this.#random;
    const disposition: Data = random.pick([null, ['ATTACHMENT', ['FILENAME', 'x y.txt']], ['INLINE', null]]);
    if (Array.isArray(disposition)) {
      const inline = disposition[0] === 'INLINE';
      this.#field('Content-Disposition', inline ? 'inline' : 'attachment; filename="x y.txt"');
    }
    const language: Data = random.pick([null, 'de', ['de', 'en-GB']]);
    if (language !== null) this.#field('Content-Language', Array.isArray(language) ? 'de, en-GB' : 'de');
    const location = random.pick([null, 'http://x.example/y']);
    if (location !== null) this.#field('Content-Location', location);
    return [disposition, language, location];
  }

  #multipart(part: MadePart, depth: number): void {
    const random = this.#random;
    part.kind = 'multipart';
    // Boundaries that begin with one another must not be taken for one another.
    const boundary = 'b' + 'x-'.repeat(this.#boundaries++) + random.pick(['', '=_', '.?', 'q']);
    const digest = random.once(4);
    const subtype = digest ? 'digest' : random.pick(['mixed', 'alternative', 'x-z']);
    this.#field('Content-Type', `multipart/${subtype}; boundary="${boundary}"`);
    const extension = this.#extension();
    this.#endHeader(part);
    if (random.once(2)) this.#lines(2, true);
    const children = random.once(12) ? 0 : 1 + random.below(3);
    for (let i = 0; i < children; i++) {
      this.text += `--${boundary}${random.pick(['', '', '  '])}${this.#eol}`;
      const child = this.entity(depth + 1, false, digest ? 'MESSAGE/RFC822' : 'TEXT/PLAIN');
      part.children.push(child);
      this.text += this.#eol;
    }
    this.text += `--${boundary}--`;
    if (random.once(2)) {
      this.text += this.#eol;
      this.#lines(2);
    }
    part.body[1] = this.text.length;
    const empty: Data = [
      'TEXT',
      'PLAIN',
      ['CHARSET', 'us-ascii'],
      null,
      null,
      '7BIT',
      0,
      0,
      null,
      null,
      null,
      null,
    ];
    part.structure = [
      ...(children === 0 ? [empty] : part.children.map((child) => child.structure)),
      subtype.toUpperCase(),
      ['BOUNDARY', boundary],
      ...extension,
    ];
  }

  #message(part: MadePart, depth: number): void {
    part.kind = 'message';
    const global = this.#random.once(3);
    this.#field('Content-Type', global ? 'message/global' : 'Message/RFC822');
    this.#endHeader(part);
    const child = this.entity(depth + 1, true, 'TEXT/PLAIN');
    const envelope = child.structure.pop() as Data;
    part.children.push(child);
    part.body[1] = this.text.length;
    const size = part.body[1] - part.body[0];
    part.structure = ['MESSAGE', global ? 'GLOBAL' : 'RFC822', null, null, null, '7BIT', size, envelope];
    part.structure.push(child.structure, this.#count(part), null, null, null, null);
  }

  /** Lines none of which is a delimiter; the last one has a line end if `ended`, else at random. */
  #lines(most: number, ended = false): void {
    const random = this.#random;
    for (let n = random.below(most + 1); n > 0; n--) {
      this.text += random.pick(WORDS) + random.pick(WORDS) + this.#eol;
    }
    if (!ended && random.once(2)) this.text += 'no end of line';
  }

  #count(part: MadePart): number {
    return this.text.slice(part.body[0], part.body[1]).split('\n').length - 1;
  }
}
