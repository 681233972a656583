/** Single values: switches, text, paths, numbers, choices, permissions. */

import { tomlString } from '../toml/quote.ts';
import { bad, good, type Kind, mismatch, type Parsed, plainString, shorten } from './kind.ts';

/** Yes or no. imapd.conf takes yes/no, on/off, true/false, t/f, y/n and 1/0. */
export function switchKind(): Kind<boolean> {
  const expects = 'true or false';
  return {
    name: 'switch',
    expects,
    fromToml: (value) => typeof value === 'boolean' ? good(value) : mismatch(expects, value),
    fromText(text) {
      const word = text.toLowerCase();
      if (['1', 'y', 'yes', 'on', 't', 'true'].includes(word)) return good(true);
      if (['0', 'n', 'no', 'off', 'f', 'false'].includes(word)) return good(false);
      return bad(`expected yes or no, found "${shorten(text)}"`);
    },
    toToml: (value) => String(value),
  };
}

/** Free text on one line. */
export function textKind(expects = 'a string', fits: (text: string) => boolean = () => true): Kind<string> {
  const check = (text: string): Parsed<string> => {
    const plain = plainString(text);
    if (!plain.ok || fits(text)) return plain;
    return bad(`expected ${expects}, found ${tomlString(shorten(text))}`);
  };
  return {
    name: 'string',
    expects,
    fromToml: (value) => typeof value === 'string' ? check(value) : mismatch(expects, value),
    fromText: check,
    toToml: tomlString,
  };
}

/** An absolute path, or an empty string for none. */
export function pathKind(expects = 'an absolute path'): Kind<string> {
  const check = (text: string): Parsed<string> => {
    const plain = plainString(text);
    if (!plain.ok) return plain;
    if (text === '') return good('');
    if (!text.startsWith('/')) return bad(`expected ${expects}, found ${tomlString(shorten(text))}`);
    return good(text.length > 1 ? text.replace(/\/+$/, '') || '/' : text);
  };
  return {
    name: 'path',
    expects,
    fromToml: (value) => typeof value === 'string' ? check(value) : mismatch(expects, value),
    fromText: check,
    toToml: tomlString,
  };
}

/** One absolute path, or two or more with commas between them: an RSA and an EC certificate. The value is as given. */
export function filesKind(): Kind<string> {
  const expects = 'an absolute path, or several with commas between them';
  const one = pathKind(expects);
  const check = (text: string): Parsed<string> => {
    const files: string[] = [];
    for (const part of text.split(',')) {
      const parsed = one.fromText(part.trim());
      if (!parsed.ok) return parsed;
      if (parsed.value === '' && text !== '') {
        return bad(`expected ${expects}, found ${tomlString(shorten(text))}`);
      }
      files.push(parsed.value);
    }
    return good(files.join(','));
  };
  return {
    ...one,
    fromToml: (value) => typeof value === 'string' ? check(value) : mismatch(expects, value),
    fromText: check,
  };
}

/** A whole number within bounds. */
export function integerKind(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expects = max === Number.MAX_SAFE_INTEGER
    ? `a whole number of at least ${min}`
    : `a whole number from ${min} to ${max}`;
  const within = (value: number): Parsed<number> =>
    value >= min && value <= max ? good(value) : bad(`expected ${expects}, found ${value}`);
  return {
    name: 'integer',
    expects,
    fromToml: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) ? within(value) : mismatch(expects, value),
    fromText: (text) =>
      /^[+-]?\d{1,15}$/.test(text)
        ? within(Number(text))
        : bad(`expected ${expects}, found "${shorten(text)}"`),
    toToml: (value) => String(value),
  };
}

/** One of a few words; `aliases` maps other spellings (imapd.conf only) to them. */
export function choiceKind<const W extends string>(
  words: readonly W[],
  aliases: Readonly<Record<string, NoInfer<W>>> = {},
): Kind<W> {
  const expects = `one of ${words.map((word) => `"${word}"`).join(', ')}`;
  const find = (text: string): W | undefined => words.find((word) => word === text.toLowerCase());
  return {
    name: 'choice',
    expects,
    allowed: words,
    fromToml(value) {
      const word = typeof value === 'string' ? find(value) : undefined;
      return word === undefined ? mismatch(expects, value) : good(word);
    },
    fromText(text) {
      const word = find(text) ??
        (Object.hasOwn(aliases, text.toLowerCase()) ? aliases[text.toLowerCase()] : undefined);
      return word === undefined ? bad(`expected ${expects}, found "${shorten(text)}"`) : good(word);
    },
    toToml: tomlString,
  };
}

/** File permissions, written in octal as a string: "0660". */
export function modeKind(): Kind<number> {
  const expects = 'permissions in octal such as "0660"';
  const read = (text: string): Parsed<number> =>
    /^0?[0-7]{3}$/.test(text)
      ? good(Number.parseInt(text, 8))
      : bad(`expected ${expects}, found "${shorten(text)}"`);
  return {
    name: 'mode',
    expects,
    fromToml: (value) => typeof value === 'string' ? read(value) : mismatch(expects, value),
    fromText: read,
    toToml: (value) => tomlString(`0${value.toString(8).padStart(3, '0')}`),
  };
}
