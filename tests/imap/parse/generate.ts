/**
 * Generated arguments and one of the ways of writing each, so that parsing must give the arguments back. Text is latin1, one
 * char per byte.
 */

import { encodeMutf7 } from '../../../src/store/mutf7.ts';
import type { FetchItem, ParseMode } from '../../../src/imap/parse/command.ts';
import type { SearchKey } from '../../../src/imap/search/key.ts';
import type { SequenceSet } from '../../../src/imap/sequence.ts';
import type { Random } from '../../harness/random.ts';

const ATOM = /^[A-Za-z0-9$\\._/-]+$/;
export const WORDS = [
  'a',
  'Hello',
  'x y',
  'it "is"',
  'back\\slash',
  '',
  'NIL',
  'line\r\nbreak',
  'tür',
  '日本',
  ']',
  '{3}',
  '(x)',
];
export const FLAGS = ['\\Seen', '\\Deleted', '$Junk', 'work', '\\Flagged', '\\X-new'];
const DAY = 86_400;

export class CommandGenerator {
  readonly #random: Random;
  readonly mode: ParseMode;

  constructor(random: Random) {
    this.#random = random;
    this.mode = { utf8: random.oneIn(2), searchres: random.oneIn(2) };
  }

  get random(): Random {
    return this.#random;
  }

  /** A keyword of the protocol in some mixture of cases. */
  word(word: string): string {
    const r = this.#random;
    return r.oneIn(2) ? word : [...word].map((c) => r.oneIn(2) ? c.toLowerCase() : c.toUpperCase()).join('');
  }

  /** string */
  string(bytes: string): string {
    const r = this.#random;
    if (/[\r\n\0]/.test(bytes) || r.oneIn(4)) return `{${bytes.length}${r.oneIn(3) ? '' : '+'}}\r\n${bytes}`;
    return `"${bytes.replace(/["\\]/g, '\\$&')}"`;
  }

  /** astring of Unicode text */
  astring(text: string): string {
    const bytes = Buffer.from(text, 'utf8').toString('latin1');
    return ATOM.test(bytes) && !bytes.includes('\\') && this.#random.oneIn(2) ? bytes : this.string(bytes);
  }

  mailbox(name: string): string {
    const bytes = this.mode.utf8 ? Buffer.from(name, 'utf8').toString('latin1') : encodeMutf7(name);
    const written = name === 'INBOX' ? this.word('INBOX') : bytes;
    return ATOM.test(written) && this.#random.oneIn(2) ? written : this.string(written);
  }

  list(items: readonly string[]): string {
    return `(${items.join(' ')})`;
  }

  set(): { set: SequenceSet; text: string } {
    const r = this.#random;
    if (this.mode.searchres && r.oneIn(6)) return { set: { pairs: [], saved: true }, text: '$' };
    const pairs: number[] = [];
    const text = Array.from({ length: 1 + r.below(4) }, () => {
      const [from, to] = [r.below(9), r.oneIn(2) ? r.below(4_000_000_000) : -1];
      pairs.push(from, to < 0 ? from : to);
      return to < 0 ? number(from) : `${number(from)}:${number(to)}`;
    }).join(',');
    return { set: { pairs, saved: false }, text };
  }

  /** Days since 1970 and the date as `1-Feb-1994`. */
  date(): { day: number; text: string } {
    const day = this.#random.below(40_000) - 5000;
    const [, month, number, year] = new Date(day * DAY * 1000).toUTCString().split(' ').map((
      part,
      index,
      all,
    ) => index === 1 ? all[2] ?? part : index === 2 ? all[1] ?? part : part);
    const written = `${Number(number)}-${this.word(month ?? '')}-${year}`;
    return { day, text: this.#random.oneIn(2) ? written : `"${written}"` };
  }

  searchKey(depth: number): { key: SearchKey; text: string } {
    const r = this.#random;
    const string = () => r.pick(WORDS);
    if (depth > 0 && r.oneIn(2)) {
      const first = this.searchKey(depth - 1);
      const second = this.searchKey(depth - 1);
      return r.pick([
        () => ({ key: { key: 'not', of: first.key } as const, text: `${this.word('NOT')} ${first.text}` }),
        () => ({
          key: { key: 'or', left: first.key, right: second.key } as const,
          text: `${this.word('OR')} ${first.text} ${second.text}`,
        }),
        () => ({
          key: { key: 'and', keys: [first.key, second.key] } as const,
          text: `(${first.text} ${second.text})`,
        }),
        () => ({ key: first.key, text: `(${first.text})` }),
      ])();
    }
    return r.pick<() => { key: SearchKey; text: string }>([
      () => ({ key: { key: 'all' }, text: this.word('ALL') }),
      () => {
        const [word, flag, on] = r.pick(
          [
            ['SEEN', '\\Seen', true],
            ['UNSEEN', '\\Seen', false],
            ['DELETED', '\\Deleted', true],
            ['UNANSWERED', '\\Answered', false],
          ] as const,
        );
        return { key: { key: 'flag', flag, on }, text: this.word(word) };
      },
      () => {
        const [flag, on] = [r.pick(FLAGS), r.oneIn(2)];
        return { key: { key: 'flag', flag, on }, text: `${this.word(on ? 'KEYWORD' : 'UNKEYWORD')} ${flag}` };
      },
      () => {
        const { set, text } = this.set();
        return r.oneIn(2)
          ? { key: { key: 'seq', set }, text }
          : { key: { key: 'uid', set }, text: `UID ${text}` };
      },
      () => {
        const { day, text } = this.date();
        const [word, field, compare] = r.pick(
          [
            ['BEFORE', 'internal', 'before'],
            ['ON', 'internal', 'on'],
            ['SINCE', 'internal', 'since'],
            ['SENTBEFORE', 'sent', 'before'],
            ['SENTON', 'sent', 'on'],
            ['SENTSINCE', 'sent', 'since'],
          ] as const,
        );
        return { key: { key: 'date', field, compare, day }, text: `${this.word(word)} ${text}` };
      },
      () => {
        const [word, text] = [r.pick(['FROM', 'TO', 'CC', 'BCC', 'SUBJECT']), string()];
        return {
          key: { key: 'envelope', field: word.toLowerCase(), text },
          text: `${this.word(word)} ${this.astring(text)}`,
        };
      },
      () => {
        const [field, text] = [r.pick(['X-Spam', 'Message-ID']), string()];
        return {
          key: { key: 'header', field: field.toLowerCase(), text },
          text: `HEADER ${this.astring(field)} ${this.astring(text)}`,
        };
      },
      () => {
        const [key, text] = [r.pick(['body', 'text'] as const), string()];
        return { key: { key, text }, text: `${this.word(key)} ${this.astring(text)}` };
      },
      () => {
        const [compare, bytes] = [r.pick(['larger', 'smaller'] as const), r.below(1e9)];
        return { key: { key: 'size', compare, bytes }, text: `${this.word(compare)} ${bytes}` };
      },
      () => {
        const modseq = r.below(1e9);
        const entry = r.oneIn(2) ? '"/flags/\\\\draft" all ' : '';
        return { key: { key: 'modseq', modseq }, text: `MODSEQ ${entry}${modseq}` };
      },
    ])();
  }

  fetchItem(): { item: FetchItem; text: string } {
    const r = this.#random;
    const part = Array.from({ length: r.below(3) }, () => 1 + r.below(9));
    const peek = r.oneIn(2);
    const partial = r.oneIn(3) ? { offset: r.below(5000), length: 1 + r.below(5000) } : null;
    const range = partial === null ? '' : `<${partial.offset}.${partial.length}>`;
    const origin = partial === null ? '' : `<${partial.offset}>`;
    return r.pick<() => { item: FetchItem; text: string }>([
      () => {
        const field = r.pick(
          ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY', 'BODYSTRUCTURE'] as const,
        );
        return { item: { kind: 'field', field }, text: this.word(field) };
      },
      () => {
        const texts = ['', 'HEADER', 'TEXT', ...(part.length > 0 ? ['MIME' as const] : [])] as const;
        const text = r.pick<'' | 'HEADER' | 'TEXT' | 'MIME'>(texts);
        const section = [...part, ...(text === '' ? [] : [text])].join('.');
        return {
          item: {
            kind: 'section',
            label: `BODY[${section}]${origin}`,
            part,
            text,
            fields: [],
            peek,
            partial,
          },
          text: `${this.word(peek ? 'BODY.PEEK' : 'BODY')}[${section}]${range}`,
        };
      },
      () => {
        const text = r.pick(['HEADER.FIELDS', 'HEADER.FIELDS.NOT'] as const);
        const names = r.some(['From', 'To', 'X-Spam-Score', 'DATE'], 3);
        const section = [...part, text].join('.');
        return {
          item: {
            kind: 'section',
            label: `BODY[${section} (${names.join(' ')})]${origin}`,
            part,
            text,
            fields: names.map((name) => name.toLowerCase()),
            peek,
            partial,
          },
          text: `${this.word(peek ? 'BODY.PEEK' : 'BODY')}[${[...part, this.word(text)].join('.')} ${
            this.list(names.map((name) => this.astring(name)))
          }]${range}`,
        };
      },
      () => ({
        item: { kind: 'binary', label: `BINARY[${part.join('.')}]${origin}`, part, peek, partial },
        text: `${this.word(peek ? 'BINARY.PEEK' : 'BINARY')}[${part.join('.')}]${range}`,
      }),
      () => ({
        item: { kind: 'binarysize', label: `BINARY.SIZE[${part.join('.')}]`, part },
        text: `${this.word('BINARY.SIZE')}[${part.join('.')}]`,
      }),
    ])();
  }
}

function number(value: number): string {
  return value === 0 ? '*' : `${value}`;
}
